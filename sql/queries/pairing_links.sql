-- Pairing links: made and revoked by those who may work with accounts, opened by whoever has one.

--! create_pairing_link (seconds?, expect_phone?)
-- Without `seconds` it ends with the attempt that is running.
SELECT id, token, expires_at
FROM create_pairing_link(:account::uuid, make_interval(secs => :seconds::float8), :uses::int, :expect_phone::text,
                         :source::text);

--! list_pairing_links : ListedPairingLink(expect_phone?, first_opened_at?, last_used_at?, revoked_at?)
-- Newest first.
SELECT l.id, pairing_link_state(l.revoked_at, l.uses_left, l.expires_at) AS state, l.source, l.created_at, l.expires_at,
       l.uses_left, l.expect_phone, l.first_opened_at, l.last_used_at, l.revoked_at
FROM pairing_links l
WHERE l.account_id = :account
ORDER BY l.created_at DESC, l.id
LIMIT 100;

--! revoke_pairing_link
-- Only of this account.
SELECT revoke_pairing_link(l.id, :source::text) AS revoked
FROM pairing_links l
WHERE l.id = :link AND l.account_id = :account;

--! view_pairing_link : ViewedPairingLink(qr_png?, qr_at?, qr_expires_at?, pair_code?, pair_deadline?, expect_phone?)
SELECT is_live, label, status, status_reason, qr_png, qr_at, qr_expires_at, pair_code, pair_deadline, expect_phone,
       expires_at, is_asked
FROM view_pairing_link(:hash::bytea);

--! pair_by_link (phone?)
SELECT pair_by_link(:hash::bytea, :phone::text) AS answer;
