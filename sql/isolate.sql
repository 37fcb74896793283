-- Operators as tenants: every login but the owner's, the daemon's and the console's sees and
-- touches only the rows of the operator in the setting paird.operator, and no rows without it.
-- Run after roles.sql by `paird migrate --roles --isolate`; any number of times.

BEGIN;

DO $$
DECLARE
    -- Of this operator, by the row itself or by its account.
    is_own CONSTANT text := 'operator_id = (SELECT current_operator())';
    is_of_own_account CONSTANT text :=
        'EXISTS (SELECT FROM whatsapp_accounts a WHERE a.id = account_id AND a.operator_id = (SELECT current_operator()))';
    -- The policy of the message's row decides.
    is_of_own_message CONSTANT text := 'EXISTS (SELECT FROM messages m WHERE m.id = message_id)';
    tenant record;
BEGIN
    FOR tenant IN
        SELECT * FROM (VALUES
            ('whatsapp_accounts', is_own), ('audit_log', is_own),
            ('whatsapp_groups', is_of_own_account), ('commands', is_of_own_account),
            ('events', is_of_own_account), ('event_consumers', is_of_own_account),
            ('messages', is_of_own_account), ('contacts', is_of_own_account), ('contact_checks', is_of_own_account), ('message_bodies', is_of_own_message),
            ('message_receipts', is_of_own_message), ('pairing_links', is_of_own_account)
        ) AS tables (name, is_visible)
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant.name);
        EXECUTE format('DROP POLICY IF EXISTS paird_of_the_operator ON %I', tenant.name);
        EXECUTE format('CREATE POLICY paird_of_the_operator ON %I TO paird_web USING (%s) WITH CHECK (%2$s)',
                       tenant.name, tenant.is_visible);
        EXECUTE format('DROP POLICY IF EXISTS paird_of_all ON %I', tenant.name);
        EXECUTE format('CREATE POLICY paird_of_all ON %I TO paird_daemon, paird_console USING (true) WITH CHECK (true)',
                       tenant.name);
    END LOOP;
END $$;

-- send_command writes with its owner's rights, which no policy binds. send_message, cancel_message and the
-- functions of pairing links ask for themselves.
ALTER TABLE commands ENABLE TRIGGER command_is_of_ones_own;

COMMIT;
