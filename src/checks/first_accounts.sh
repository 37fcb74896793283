cat > accounts.csv <<'END'
label,tags
front desk,vip
lobby,
END
paird accounts import accounts.csv --check   # only checks the file
paird accounts import accounts.csv
