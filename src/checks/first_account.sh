token=$(cat TOKEN_FILE)
accounts=http://ADDRESS/api/accounts
ask() {
  curl -s -H "Authorization: Bearer $token" \
       -H 'Content-Type: application/json' "$@"
}
id=$(ask -d '{"label":"front desk"}' $accounts |
     grep -o '"id":"[^"]*"' | head -n 1 | cut -d '"' -f 4)
ask -d '{"kind":"account.pair"}' "$accounts/$id/commands"
