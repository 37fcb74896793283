--! get_client_version
SELECT major, minor, revision FROM client_version;

--! note_client_version
INSERT INTO client_version (major, minor, revision) VALUES (:major, :minor, :revision)
ON CONFLICT (is_only) DO UPDATE
SET major = excluded.major, minor = excluded.minor, revision = excluded.revision, accepted_at = excluded.accepted_at
WHERE (client_version.major, client_version.minor, client_version.revision)
      IS DISTINCT FROM (excluded.major, excluded.minor, excluded.revision);
