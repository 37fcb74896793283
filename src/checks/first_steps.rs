//! How the first account is added and linked, by each way in. The texts can be run as they are.

use std::path::Path;

use serde::Serialize;
use utoipa::ToSchema;

use crate::config::Config;

/// On the command line: what to type, and what it does.
pub(crate) const FIRST_ACCOUNT: [(&str, &str); 2] = [
    ("paird accounts add \"front desk\"", "the first account"),
    ("paird pair \"front desk\"", "draws the QR that the phone scans"),
];

/// A way to add the first account.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Way {
    /// Which: `command_line`, `sql`, `api` or `file`.
    pub(crate) key: &'static str,
    pub(crate) title: &'static str,
    /// Where to run it, and as whom.
    what: String,
    /// To be copied. It names the file of the token, never the token.
    pub(crate) text: String,
}

/// All of them, for a daemon whose console has this address.
pub(crate) fn ways(config: &Config, console: &str) -> Vec<Way> {
    let here = "In a terminal on this machine, as the daemon's user";
    let embedded = config.database_url.is_none();
    let (with, data_dir, psql) = if embedded {
        let data_dir = format!("export PAIRD_DATA_DIR={}\n", shell(&config.data_dir));
        ("", data_dir, format!("psql \"$(cat {})\"", shell(&config.embedded_dsn_file())))
    } else {
        (" and with its DATABASE_URL", String::new(), "psql".to_owned())
    };
    let commands: Vec<String> = FIRST_ACCOUNT.iter().map(|(command, what)| format!("{command:<34} # {what}")).collect();
    vec![
        Way {
            key: "command_line",
            title: "On the command line",
            what: format!("{here}{with}."),
            text: format!("{data_dir}{}\n", commands.join("\n")),
        },
        Way {
            key: "sql",
            title: "From a web app, by SQL",
            what: format!(
                "With {psql} or from your program, as the owner of the tables or a login in paird_web. The QR code is then in \
                 last_qr_png, as a base64 PNG."
            ),
            text: include_str!("../../sql/first_account.sql").replace("paird_event", &config.event_channel),
        },
        Way {
            key: "api",
            title: "By HTTP",
            what: "On this machine: the token stays in its file. The QR code is then at /api/accounts/$id/qr."
                .to_owned(),
            text: include_str!("first_account.sh")
                .replace("TOKEN_FILE", &shell(&config.console_token_file))
                .replace("ADDRESS", console),
        },
        Way {
            key: "file",
            title: "Many at once, from a CSV file",
            what: format!(
                "{here}{with}; or choose the file here. All accounts of the file are added, or none if there is a mistake in it."
            ),
            text: format!("{data_dir}{}", include_str!("first_accounts.sh")),
        },
    ]
}

/// As a shell reads it as one word.
fn shell(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use paird_actors::domain::OperatorId;

    use super::*;

    #[test]
    fn the_first_account_belongs_to_the_usual_operator() {
        let statements = include_str!("../../sql/first_account.sql");
        assert!(statements.contains(&OperatorId::DEFAULT.0.to_string()), "{statements}");
    }

    #[test]
    fn a_path_is_one_word_of_the_shell() {
        assert_eq!(shell(Path::new("/var/lib/it's here")), r"'/var/lib/it'\''s here'");
    }
}
