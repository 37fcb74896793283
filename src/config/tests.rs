use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut variables: BTreeMap<String, String> =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    variables.entry("HOME".to_owned()).or_insert_with(|| "/nowhere/at-home".to_owned());
    Config::read(variables)
}

fn refused(name: &str, value: &str) -> String {
    let error = read(&[(name, value)]).expect_err("the value is wrong");
    assert_eq!(error.setting, name);
    let line = error.to_string();
    assert!(!line.contains('\n'), "one line: {line:?}");
    line
}

/// A directory of this test's own, with a settings file in it.
struct SettingsFile(PathBuf);

impl SettingsFile {
    fn new(text: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("paird-config-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("paird.toml"), text).unwrap();
        Self(dir)
    }

    fn path(&self) -> String {
        self.0.join("paird.toml").display().to_string()
    }
}

impl Drop for SettingsFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn unset_settings_have_the_documented_defaults() {
    let config = read(&[]).unwrap();
    assert_eq!((config.database_url.clone(), config.console_database_url.clone()), (None, None));
    assert_eq!(config.data_dir, PathBuf::from("/nowhere/at-home/.local/share/paird"));
    assert_eq!(config.master_key_file, config.data_dir.join("master.key"));
    assert_eq!((config.command_channel.as_str(), config.event_channel.as_str()), ("paird_command", "paird_event"));
    assert_eq!(config.pair_timeout, Duration::from_secs(300));
    assert_eq!(config.pending_max_age, Duration::from_secs(3600));
    assert_eq!(config.refuse, Refuse::BeforeLink);
    assert_eq!(config.console_addr, Some("127.0.0.1:8088".parse().unwrap()));
    assert_eq!(config.log_format, LogFormat::Text);
    assert_eq!(config.device_name, "paird");
    assert_eq!((config.connect_rate, config.lease_ttl), (20, Duration::from_secs(20)));
    let month = Duration::from_secs(30 * 24 * 3600);
    assert_eq!((config.keep.events, config.keep.commands, config.keep.audit), (month, month, None));
}

#[test]
fn pace_and_lease_are_numbers_within_reason() {
    assert_eq!(read(&[("PAIRD_CONNECT_RATE", "0")]).unwrap().connect_rate, 0);
    refused("PAIRD_CONNECT_RATE", "fast");
    refused("PAIRD_CONNECT_RATE", "-1");
    assert_eq!(read(&[("PAIRD_LEASE_TTL", "3s")]).unwrap().lease_ttl, Duration::from_secs(3));
    assert_eq!(read(&[("PAIRD_GROUPS_REFRESH", "1d")]).unwrap().groups_refresh, Duration::from_hours(24));
    refused("PAIRD_GROUPS_REFRESH", "4s");
    refused("PAIRD_GROUPS_REFRESH", "31d");
    refused("PAIRD_LEASE_TTL", "1s");
    refused("PAIRD_LEASE_TTL", "1h");
}

#[test]
fn pairing_links_lead_only_where_nobody_reads_along() {
    let url = |text: &str| read(&[("PAIRD_LINK_URL", text)]).unwrap().link_url;
    assert_eq!(read(&[]).unwrap().link_url, None);
    assert_eq!(url("https://pair.example.com/").as_deref(), Some("https://pair.example.com"));
    assert_eq!(url("https://pair.example.com:8443").as_deref(), Some("https://pair.example.com:8443"));
    assert_eq!(url("http://localhost:8090").as_deref(), Some("http://localhost:8090"));
    for wrong in [
        "http://pair.example.com",
        "https://pair.example.com/pair",
        "https://pair.example.com/?x",
        "https://pair.example.com/#x",
        "https://anna@pair.example.com",
        "ftp://pair.example.com",
        "pair.example.com",
        "https://",
    ] {
        refused("PAIRD_LINK_URL", wrong);
    }
    let local = read(&[("PAIRD_LINK_ADDR", "127.0.0.1:8090")]).unwrap();
    assert_eq!(local.link_url.as_deref(), Some("http://127.0.0.1:8090"));
    for addr in ["0.0.0.0:8090", "127.0.0.1:0"] {
        let wrong = read(&[("PAIRD_LINK_ADDR", addr)]).expect_err(addr);
        assert_eq!(wrong.setting, "PAIRD_LINK_URL", "{wrong}");
        let both = [("PAIRD_LINK_ADDR", addr), ("PAIRD_LINK_URL", "https://pair.example.com")];
        assert_eq!(read(&both).unwrap().link_addr, Some(addr.parse().unwrap()));
    }
    refused("PAIRD_LINK_ADDR", "8090");
    refused("PAIRD_LINK_PROXIES", "nginx");
    assert_eq!(read(&[("PAIRD_LINK_PROXIES", "10.0.0.0/8, 192.0.2.1")]).unwrap().link_proxies.len(), 2);
}

#[test]
fn retention_is_at_least_a_day() {
    let day = Duration::from_secs(24 * 3600);
    assert_eq!(read(&[("PAIRD_KEEP_EVENTS", "7d")]).unwrap().keep.events, 7 * day);
    assert_eq!(read(&[("PAIRD_KEEP_COMMANDS", "1d")]).unwrap().keep.commands, day);
    assert_eq!(read(&[("PAIRD_KEEP_AUDIT", "365d")]).unwrap().keep.audit, Some(365 * day));
    assert_eq!(read(&[("PAIRD_KEEP_AUDIT", "forever")]).unwrap().keep.audit, None);
    assert_eq!(refused("PAIRD_KEEP_EVENTS", "23h"), "PAIRD_KEEP_EVENTS: \"23h\" is not between 1d and 100years");
    assert!(refused("PAIRD_KEEP_COMMANDS", "forever").contains("is not a duration such as 7d"));
    assert!(refused("PAIRD_KEEP_EVENTS", "0s").contains("0s"));
    assert!(refused("PAIRD_KEEP_AUDIT", "always").ends_with("nor forever"));
    refused("PAIRD_KEEP_AUDIT", "1000years");
    assert_eq!(read(&[]).unwrap().keep.bodies, 7 * day);
    assert_eq!(read(&[("PAIRD_KEEP_BODIES", "30d")]).unwrap().keep.bodies, 30 * day);
    assert_eq!(refused("PAIRD_KEEP_BODIES", "31d"), "PAIRD_KEEP_BODIES: \"31d\" is not between 1d and 30d");
    refused("PAIRD_KEEP_BODIES", "1h");
}

#[test]
fn the_data_dir_moves_everything_that_lives_in_it() {
    let config = read(&[("XDG_DATA_HOME", "/nowhere/xdg")]).unwrap();
    assert_eq!(config.master_key_file, PathBuf::from("/nowhere/xdg/paird/master.key"));
    let config = read(&[("XDG_DATA_HOME", "/nowhere/xdg"), ("PAIRD_DATA_DIR", "/nowhere/mine")]).unwrap();
    assert_eq!(config.console_token_file, PathBuf::from("/nowhere/mine/console.token"));
}

#[test]
fn a_relative_data_dir_becomes_absolute() {
    assert!(read(&[("PAIRD_DATA_DIR", "here")]).unwrap().data_dir.is_absolute());
}

#[test]
fn without_any_home_the_data_dir_must_be_named() {
    let error = Config::read(BTreeMap::new()).unwrap_err();
    assert_eq!(error.setting, "PAIRD_DATA_DIR");
}

#[test]
fn messages_are_sent_again_unless_it_is_forbidden() {
    assert!(read(&[]).unwrap().outgoing_policy().sends_again);
    assert!(!read(&[("PAIRD_RESEND", "never")]).unwrap().outgoing_policy().sends_again);
    assert!(refused("PAIRD_RESEND", "sometimes").contains("always"));
}

#[test]
fn settings_become_the_policy_of_the_machines() {
    let config = read(&[("PAIRD_PAIR_TIMEOUT", "90s"), ("PAIRD_REFUSE", "after-link")]).unwrap();
    assert_eq!(config.policy().pair_timeout, Duration::from_secs(90));
    assert_eq!(config.policy().refuse, Refuse::AfterLink);
}

#[test]
fn a_wrong_value_is_named_with_the_expected_form() {
    assert_eq!(
        refused("PAIRD_PAIR_TIMEOUT", "5 parsecs"),
        "PAIRD_PAIR_TIMEOUT: \"5 parsecs\" is not a duration such as 90s, 5m or 1h 30m"
    );
    assert!(refused("PAIRD_PAIR_TIMEOUT", "0s").ends_with("is zero"));
    assert!(refused("PAIRD_REFUSE", "never").contains("before-link"));
    assert!(refused("PAIRD_NOTIFY_COMMANDS", "on").contains("verified, open and off"));
    assert!(refused("PAIRD_EVENT_PAYLOAD", "small").contains("wake"));
    assert!(refused("PAIRD_LOG_FORMAT", "xml").contains("json"));
    assert!(refused("PAIRD_LOG", "info,paird=loud").contains("cannot be read"));
    assert!(refused("PAIRD_DEVICE_NAME", &"x".repeat(41)).contains("41 characters"));
}

#[test]
fn channels_are_plain_short_and_distinct_names() {
    for wrong in ["9lives", "a-b", "Events", "a b", "x\"; DROP TABLE accounts", &"c".repeat(64)] {
        refused("PAIRD_COMMAND_CHANNEL", wrong);
    }
    refused("PAIRD_EVENT_CHANNEL", "paird_command");
    assert!(read(&[("PAIRD_EVENT_CHANNEL", &"c".repeat(63))]).is_ok());
}

#[test]
fn the_console_stays_on_loopback_or_is_off() {
    assert!(refused("PAIRD_CONSOLE_ADDR", "0.0.0.0:8088").contains("loopback"));
    assert!(refused("PAIRD_CONSOLE_ADDR", "8088").contains("127.0.0.1:8088"));
    assert!(read(&[("PAIRD_CONSOLE_ADDR", "[::1]:8088")]).is_ok());
    assert_eq!(read(&[("PAIRD_CONSOLE_ADDR", "off")]).unwrap().console_addr, None);
}

#[test]
fn a_wrong_connection_string_never_shows_its_password() {
    for wrong in [
        "mysql://u:hunter2@db/x",
        "postgress://u:hunter2@db/x?hunter2=1",
        "postgres://u:hunter2@db:port/x",
        "host=db password=secret hunter2 hunter2=hunter2",
        "postgres:///x",
        "hunter2",
    ] {
        let error = read(&[("DATABASE_URL", wrong)]).expect_err(wrong);
        let line = error.to_string();
        assert!(!line.contains("hunter2"), "{line}");
    }
}

#[test]
fn a_connection_string_is_hidden_in_debug_output() {
    let config = read(&[("DATABASE_URL", "postgres://u:hunter2@db/x")]).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    assert_eq!(config.database_url.unwrap().expose(), "postgres://u:hunter2@db/x");
}

#[test]
fn a_misspelt_name_is_refused_with_the_nearest_one() {
    let error = read(&[("PAIRD_PAIR_TIMEOT", "5m")]).unwrap_err();
    assert_eq!(error.to_string(), "PAIRD_PAIR_TIMEOT: is not a setting; did you mean PAIRD_PAIR_TIMEOUT?");
    for far in ["PAIRD_ELEPHANTS_PER_DAY", "PAIRD_TYPO"] {
        let error = read(&[(far, "2")]).unwrap_err();
        assert!(!error.to_string().contains("did you mean"), "{error}");
    }
}

#[test]
fn names_of_the_tests_and_of_others_are_left_alone() {
    assert!(read(&[("PAIRD_TEST_KEEP", "1"), ("PAIRDLY", "1"), ("FOO", "1")]).is_ok());
}

#[test]
fn an_empty_variable_counts_as_unset() {
    assert_eq!(read(&[("DATABASE_URL", ""), ("PAIRD_REFUSE", "")]).unwrap().refuse, Refuse::BeforeLink);
}

#[test]
fn the_file_is_read_and_the_environment_wins() {
    let file = SettingsFile::new("PAIRD_REFUSE = \"after-link\"\nPAIRD_PAIR_TIMEOUT = \"2m\"\n");
    let config = read(&[("PAIRD_CONFIG", &file.path()), ("PAIRD_PAIR_TIMEOUT", "3m")]).unwrap();
    assert_eq!(config.refuse, Refuse::AfterLink);
    assert_eq!(config.pair_timeout, Duration::from_secs(180));
}

#[test]
fn a_file_in_the_data_dir_is_found_by_itself() {
    let file = SettingsFile::new("PAIRD_DEVICE_NAME = \"front desk\"\n");
    let config = read(&[("PAIRD_DATA_DIR", &file.0.display().to_string())]).unwrap();
    assert_eq!(config.device_name, "front desk");
}

#[test]
fn a_named_file_that_is_missing_is_an_error() {
    assert!(refused("PAIRD_CONFIG", "/nowhere/paird.toml").contains("is not a file"));
}

#[test]
fn a_wrong_file_is_named_without_quoting_its_lines() {
    let file = SettingsFile::new("PAIRD_REFUSE = \"after-link\"\nDATABASE_URL = postgres://u:hunter2@db/x\n");
    let error = read(&[("PAIRD_CONFIG", &file.path())]).unwrap_err().to_string();
    assert!(error.contains("paird.toml: line 2 is not TOML"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");

    let file = SettingsFile::new("pair_timeout = \"2m\"\n");
    let error = read(&[("PAIRD_CONFIG", &file.path())]).unwrap_err().to_string();
    assert!(error.ends_with("did you mean PAIRD_PAIR_TIMEOUT?"), "{error}");

    let file = SettingsFile::new("PAIRD_REFUSE = [\"after-link\"]\n");
    assert!(read(&[("PAIRD_CONFIG", &file.path())]).unwrap_err().to_string().contains("is not a string"));
}

#[cfg(not(feature = "sandbox"))]
#[test]
fn a_production_build_refuses_another_whatsapp() {
    assert!(refused("PAIRD_WHATSAPP_URL", "ws://127.0.0.1:4200/ws/chat").contains("production build"));
    assert!(read(&[]).unwrap().for_daemon().is_ok());
}

#[cfg(feature = "sandbox")]
#[test]
fn a_sandbox_build_stays_on_loopback() {
    for wrong in [
        "wss://web.whatsapp.com/ws/chat",
        "ws://web.whatsapp.com/ws/chat",
        "ws://127.0.0.1.example.org/",
        "ws://127.0.0.1@example.org/",
        "ws://192.0.2.7:4200/",
        "ws://localhost.example.org:4200/",
        "ws://localhost@example.org/",
        "ws://",
    ] {
        refused("PAIRD_WHATSAPP_URL", wrong);
    }
    for right in [
        "ws://127.0.0.1:4200/ws/chat",
        "ws://[::1]:4200",
        "ws://127.0.0.1",
        "wss://127.0.0.1:4200",
        "ws://localhost:4200/ws/chat",
    ] {
        assert!(read(&[("PAIRD_WHATSAPP_URL", right)]).unwrap().for_daemon().is_ok(), "{right}");
    }
}

#[cfg(feature = "sandbox")]
#[test]
fn a_sandbox_build_needs_a_sandbox_to_serve() {
    let error = read(&[]).unwrap().for_daemon().unwrap_err();
    assert_eq!(error.setting, "PAIRD_WHATSAPP_URL");
}
