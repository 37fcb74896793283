INSERT INTO whatsapp_accounts (operator_id, label)
  VALUES ('00000000-0000-0000-0000-000000000001', 'front desk');
LISTEN paird_event;
SELECT send_command('account.pair', id) FROM whatsapp_accounts
  WHERE label = 'front desk' AND deleted_at IS NULL;
SELECT label, status, last_qr_png, qr_expires_at
  FROM whatsapp_accounts WHERE deleted_at IS NULL
  ORDER BY created_at, id;
