-- Accounts that are added together, from a file. All in one serializable transaction: of two that add the
-- same at once, one sees what the other did.

--! list_labels_taken
-- Positions of labels that a live account of the operator has.
SELECT DISTINCT given.nth
FROM unnest(:operators::uuid[], :labels::text[]) WITH ORDINALITY AS given (operator_id, label, nth)
JOIN whatsapp_accounts a ON a.operator_id = given.operator_id AND a.label = given.label AND a.deleted_at IS NULL
ORDER BY given.nth;

--! list_numbers_taken
-- Positions of numbers that a live account of the operator has, in whatever spelling, and its label.
SELECT given.nth, min(a.label) AS label
FROM unnest(:operators::uuid[], :phones::text[]) WITH ORDINALITY AS given (operator_id, phone, nth)
JOIN whatsapp_accounts a ON a.operator_id = given.operator_id AND a.phone_key = phone_key(given.phone)
                        AND a.deleted_at IS NULL
WHERE given.phone <> ''
GROUP BY given.nth
ORDER BY given.nth;

--! list_accounts_of_keys
SELECT id, operator_id, label, deleted_at IS NOT NULL AS is_deleted FROM whatsapp_accounts WHERE id = ANY (:ids);

--! add_accounts
-- An empty text stands for none. The order of the file is that of the list.
INSERT INTO whatsapp_accounts (id, operator_id, label, desired_phone, proxy, device_name, tags)
SELECT given.id, given.operator_id, given.label, nullif(given.phone, ''), nullif(given.proxy, ''),
       nullif(given.device_name, ''), string_to_array(given.tags, ',')
FROM (SELECT set_config('paird.source', :source::text, true) AS source) AS claimed,
     unnest(:ids::uuid[], :operators::uuid[], :labels::text[], :phones::text[], :proxies::text[], :device_names::text[],
            :tags::text[]) WITH ORDINALITY
         AS given (id, operator_id, label, phone, proxy, device_name, tags, nth)
WHERE claimed.source IS NOT NULL
ORDER BY given.nth;
