//! What `sql/roles.sql` gives to whom, as one table: `paird doctor` asks for it, and a test
//! compares it with what the file does. A column that is not decided here fails that test.

/// The roles of `sql/roles.sql`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Web,
    Daemon,
    Console,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Web, Self::Daemon, Self::Console];

    pub fn name(self) -> &'static str {
        match self {
            Self::Web => "paird_web",
            Self::Daemon => "paird_daemon",
            Self::Console => "paird_console",
        }
    }
}

/// Columns of a table or view, and the letters of what each role may do with them: S(elect),
/// I(nsert), U(pdate), D(elete of whole rows).
pub struct ColumnRights {
    pub table: &'static str,
    /// Between spaces.
    pub columns: &'static str,
    web: &'static str,
    daemon: &'static str,
    console: &'static str,
}

impl ColumnRights {
    pub fn of(&self, role: Role) -> &'static str {
        match role {
            Role::Web => self.web,
            Role::Daemon => self.daemon,
            Role::Console => self.console,
        }
    }
}

const fn columns(
    table: &'static str,
    columns: &'static str,
    [web, daemon, console]: [&'static str; 3],
) -> ColumnRights {
    ColumnRights { table, columns, web, daemon, console }
}

/// Every column of the schema.
pub const COLUMNS: [ColumnRights; 45] = [
    columns(
        "audit_log",
        "action channel created_at id operator_id payload sent_by source target_id target_type",
        ["S", "I", "S"],
    ),
    columns("client_version", "accepted_at is_only major minor revision", ["", "SIU", ""]),
    columns(
        "commands",
        "account_id created_at dedupe_key done_at id kind result sent_by source started_at state",
        ["S", "SIU", "S"],
    ),
    columns("commands", "args heard_at heard_key taken taken_by", ["", "SIU", ""]),
    columns("contact_checks", "account_id phone", ["S", "SI", "S"]),
    columns("contact_checks", "asked_at chat checked_at is_on_whatsapp", ["S", "SIU", "S"]),
    columns("contacts", "account_id jid", ["S", "SI", "S"]),
    columns("contacts", "has_chat name phone updated_at", ["S", "SIU", "S"]),
    columns("credentials", "account_id keyring_id kind name sealed stamp", ["", "SIUD", ""]),
    columns("event_consumers", "account_id consumer seq updated_at", ["SIUD", "", ""]),
    columns("events", "account_id created_at id kind payload seq xact", ["S", "SI", "S"]),
    columns("events", "notified", ["S", "SIU", "S"]),
    columns(
        "keyrings",
        "account_id created_at device_jid epoch id master_key opened_by opening phone_number wrapped_key",
        ["", "SIUD", ""],
    ),
    columns("message_bodies", "content created_at", ["S", "I", "S"]),
    columns("message_bodies", "message_id", ["S", "SI", "S"]),
    columns("message_bodies", "request_hash", ["S", "", "S"]),
    columns("message_erasures", "account_id", ["", "", ""]),
    columns("message_media", "created_at keyring_id message_id sealed", ["", "SI", ""]),
    columns("message_receipts", "delivered_at message_id participant read_at", ["S", "", "S"]),
    columns(
        "messages",
        "account_id chat chat_phone created_at direction id sender sender_phone sent_at wa_id",
        ["S", "SI", "S"],
    ),
    columns(
        "messages",
        "attempt code delivered_at due_at expires_at is_new_chat key not_before sent_by source taken_at",
        ["S", "SI", "S"],
    ),
    columns("messages", "taken_by taken_under told_at", ["S", "SI", "S"]),
    columns("messages", "asked_at asks kind read_at reason recovered_at refers_to state", ["S", "SIU", "S"]),
    columns(
        "pairing_links",
        "account_id attempt created_at expect_phone expires_at first_opened_at id last_used_at revoked_at sent_by source uses_left",
        ["S", "", "S"],
    ),
    columns("pairing_links", "token_hash", ["", "", ""]),
    columns("processes", "draining expires_at", ["S", "SIUD", "S"]),
    columns("processes", "host id pid renewed_at started_at version", ["", "SIUD", "S"]),
    columns("processes", "command_channel drain_no epoch master_keys pid_birth pid_space renewal", ["", "SIUD", ""]),
    columns("proxy_logins", "account_id id master_key proxy sealed wrapped_key", ["", "SIUD", "SIUD"]),
    columns("refinery_schema_history", "applied_on checksum name version", ["", "S", ""]),
    columns("unlink_tickets", "account_id opened_at", ["", "SIUD", "S"]),
    columns(
        "unlink_tickets",
        "abandon_at attempts id keyring_id last_error next_retry_at reason source",
        ["", "SIUD", ""],
    ),
    columns("whatsapp_accounts", "created_at", ["S", "S", "S"]),
    columns("whatsapp_accounts", "id operator_id", ["SI", "S", "SI"]),
    columns("whatsapp_accounts", "device_name label presence proxy", ["SIU", "S", "SIU"]),
    columns("whatsapp_accounts", "desired_phone new_chats_per_day send_burst send_rate tags", ["SIU", "S", "SIU"]),
    columns(
        "whatsapp_accounts",
        "deleted_at desired device_jid event_seq expect_phone fence groups_synced_at keyring_id",
        ["S", "SU", "S"],
    ),
    columns(
        "whatsapp_accounts",
        "last_change last_phone_number last_qr_at last_qr_png linking_keyring_id next_retry_at",
        ["S", "SU", "S"],
    ),
    columns(
        "whatsapp_accounts",
        "owner pair_code pair_deadline pair_method pair_phone phone_key phone_number",
        ["S", "SU", "S"],
    ),
    columns("whatsapp_accounts", "new_chats_refused qr_expires_at released_at", ["S", "SU", "S"]),
    columns(
        "whatsapp_accounts",
        "send_level send_level_at sending_paused_reason sending_paused_until",
        ["S", "SU", "S"],
    ),
    columns("whatsapp_accounts", "status status_reason status_since", ["S", "SU", "S"]),
    columns("whatsapp_groups", "account_id is_admin jid participants", ["S", "SIUD", "S"]),
    columns("whatsapp_groups", "subject synced_at", ["S", "SIUD", "S"]),
    columns("wrapped_keys", "account_id id master_key wrapped_key", ["", "S", ""]),
];

/// The sequences that a role takes numbers from by itself. Those of columns that a role may insert
/// need no right.
pub const SEQUENCES: [(&str, &[Role]); 1] = [("messages_id_seq", &[Role::Daemon])];

/// A function that runs with its owner's rights, and the roles that may call it.
pub struct FunctionRights {
    pub signature: &'static str,
    pub callers: &'static [Role],
}

const fn function(signature: &'static str, callers: &'static [Role]) -> FunctionRights {
    FunctionRights { signature, callers }
}

/// Every such function of the schema.
pub const FUNCTIONS: [FunctionRights; 33] = [
    function("account_is_gone()", &[]),
    function("account_was_deleted()", &[]),
    function("account_was_written()", &[]),
    function("cancel_message(bigint)", &[Role::Web, Role::Console]),
    function("chat_became_known()", &[]),
    function("create_pairing_link(uuid,interval,integer,text,text)", &[Role::Web, Role::Console]),
    function("end_waits(uuid,uuid,bigint,uuid,jsonb)", &[Role::Daemon]),
    function("erase_messages(integer,boolean)", &[Role::Daemon]),
    function("find_sent_message(uuid,uuid,bigint,uuid,text,text[])", &[Role::Daemon]),
    function("list_consumers()", &[Role::Daemon]),
    function("merge_chat(uuid,uuid,bigint,text,text,integer)", &[Role::Daemon]),
    function("pace_was_changed()", &[]),
    function("pair_by_link(bytea,text)", &[Role::Console]),
    function("pairing_link_was_used()", &[]),
    function("proxy_login_was_written()", &[]),
    function("proxy_was_changed()", &[]),
    function("prune_accounts(interval,text[],timestamp with time zone,integer,boolean)", &[Role::Daemon]),
    function("prune_audit(interval,bigint,integer,boolean)", &[Role::Daemon]),
    function("prune_bodies(interval,text[],bigint,integer,boolean)", &[Role::Daemon]),
    function("prune_commands(interval,bigint,integer,boolean)", &[Role::Daemon]),
    function("prune_contact_checks(integer,boolean)", &[Role::Daemon]),
    function("prune_events(interval,text[],bigint,integer,boolean)", &[Role::Daemon]),
    function("prune_messages(interval,text[],bigint,integer,boolean)", &[Role::Daemon]),
    function("prune_pairing_links(integer,boolean)", &[Role::Daemon]),
    function("record_receipts(uuid,uuid,bigint,uuid,jsonb)", &[Role::Daemon]),
    function("revoke_pairing_link(uuid,text)", &[Role::Web, Role::Console]),
    function("send_command(text,uuid,jsonb,text,text)", &[Role::Web, Role::Console]),
    function(
        "send_message(uuid,jsonb,text,timestamp with time zone,timestamp with time zone)",
        &[Role::Web, Role::Console],
    ),
    function("settle_messages(uuid,uuid,bigint,uuid,uuid,jsonb)", &[Role::Daemon]),
    function("settle_restored_events()", &[Role::Daemon]),
    function("sweep_messages(integer)", &[Role::Daemon]),
    function("take_messages(uuid,uuid,bigint,uuid,bigint,uuid,bigint[],integer)", &[Role::Daemon]),
    function("view_pairing_link(bytea)", &[Role::Console]),
];
