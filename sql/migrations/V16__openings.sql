-- Which opening a keyring's epoch is of: the process and its own number, which grows. An
-- opening whose answer was lost and that lands after the process asked again would end the
-- newer one, and with it a good connection.
ALTER TABLE keyrings
    ADD COLUMN opened_by uuid,
    ADD COLUMN opening uuid;
