//! Which account a label or an id means.

use paird_sql::queries::cli::ListedAccount;
use uuid::Uuid;

use super::exit::{Exit, failure};

/// The account with this id, or the only one with this label.
///
/// # Errors
/// One line that names the candidates: none has the label, or several have.
pub(super) fn resolve(accounts: Vec<ListedAccount>, wanted: &str) -> anyhow::Result<ListedAccount> {
    let nobody = |words: String| failure(Exit::NoAccount, words);
    if let Ok(id) = Uuid::parse_str(wanted) {
        return accounts.into_iter().find(|a| a.id == id).ok_or_else(|| nobody(format!("no account with id {id}")));
    }
    let (mut named, others): (Vec<_>, Vec<_>) = accounts.into_iter().partition(|a| a.label == wanted);
    match (named.pop(), named.as_slice()) {
        (Some(account), []) => Ok(account),
        (Some(last), _) => {
            let ids: Vec<String> = named.iter().chain([&last]).map(|a| a.id.to_string()).collect();
            let count = ids.len();
            let words = format!("{count} accounts have the label {wanted:?}; give an id: {}", ids.join(", "));
            Err(failure(Exit::Ambiguous, words))
        }
        (None, _) if others.is_empty() => {
            Err(nobody(format!("no account {wanted:?}; there is none yet: paird accounts add LABEL")))
        }
        (None, _) => {
            let labels: Vec<&str> = others.iter().take(10).map(|a| a.label.as_str()).collect();
            let more = if others.len() > labels.len() { ", …" } else { "" };
            Err(nobody(format!("no account {wanted:?}; there are: {}{more}", labels.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(id: u128, label: &str) -> ListedAccount {
        ListedAccount {
            id: Uuid::from_u128(id),
            operator_id: Uuid::nil(),
            label: label.to_owned(),
            status: "unpaired".to_owned(),
            status_reason: "new".to_owned(),
            status_since: chrono::DateTime::default(),
            desired: "unpaired".to_owned(),
            phone_number: None,
            last_phone_number: None,
            next_retry_at: None,
            pair_deadline: None,
            qr_expires_at: None,
            created_at: chrono::DateTime::default(),
            deleted_at: None,
            proxy: None,
            device_name: None,
            tags: Vec::new(),
            desired_phone: None,
            has_keys: false,
        }
    }

    #[test]
    fn a_label_that_one_account_has_means_that_account() {
        let found = resolve(vec![account(1, "shop"), account(2, "desk")], "desk").unwrap();
        assert_eq!(found.id, Uuid::from_u128(2));
    }

    #[test]
    fn an_id_selects_its_account_even_if_a_label_equals_it() {
        let id = Uuid::from_u128(2).to_string();
        assert_eq!(resolve(vec![account(1, &id), account(2, "desk")], &id).unwrap().label, "desk");
        assert!(resolve(vec![account(1, "shop")], &id).unwrap_err().to_string().contains(&id));
    }

    #[test]
    fn an_ambiguous_label_names_all_candidates_in_one_line() {
        let wrong = resolve(vec![account(1, "shop"), account(2, "shop"), account(3, "desk")], "shop").unwrap_err();
        assert_eq!(Exit::of(&wrong), Exit::Ambiguous);
        let wrong = wrong.to_string();
        assert!(wrong.starts_with("2 accounts have the label \"shop\""), "{wrong}");
        assert!(wrong.contains(&Uuid::from_u128(1).to_string()) && wrong.contains(&Uuid::from_u128(2).to_string()));
        assert!(!wrong.contains('\n'));
    }

    #[test]
    fn an_unknown_label_names_those_that_exist() {
        let wrong = resolve(vec![account(1, "shop")], "shoe").unwrap_err();
        assert_eq!(Exit::of(&wrong), Exit::NoAccount);
        assert_eq!(wrong.to_string(), "no account \"shoe\"; there are: shop");
        assert!(resolve(Vec::new(), "shoe").unwrap_err().to_string().contains("accounts add"));
    }
}
