-- Lines of the audit log that are of no account. All others are written by the statement that makes
-- the change (changes.sql, tickets.sql) or by a trigger.

--! note_in_audit (target_id?)
INSERT INTO audit_log (source, action, target_type, target_id, payload, sent_by, channel)
VALUES (:source, :action, :target_type, :target_id, :payload, session_user, :channel);

--! note_account_in_audit
INSERT INTO audit_log (operator_id, source, action, target_type, target_id, payload, sent_by, channel)
SELECT a.operator_id, :source, :action, 'whatsapp_account', a.id, jsonb_build_object('label', left(a.label, 200)),
       session_user, :channel
FROM whatsapp_accounts a WHERE a.id = :account;
