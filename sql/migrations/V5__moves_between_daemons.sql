-- When a connected account was given up for another daemon to go on with: a move that is
-- over soon is not told to consumers. Null as soon as it is over, or told.
ALTER TABLE whatsapp_accounts ADD COLUMN released_at timestamptz;

-- Which links are too young to be moved.
CREATE INDEX keyrings_by_age ON keyrings (created_at);
