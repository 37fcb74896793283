accounts=http://ADDRESS/api/accounts
ask() {
  printf 'header = "Authorization: Bearer %s"\n' "$(cat TOKEN_FILE)" |
    curl -s -K - -H 'Content-Type: application/json' "$@"
}
id=$(ask -d '{"label":"front desk"}' $accounts |
     grep -o '"id":"[^"]*"' | head -n 1 | cut -d '"' -f 4)
ask -d '{"kind":"account.pair"}' "$accounts/$id/commands"
