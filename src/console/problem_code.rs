//! Every code that a problem can have, once. From here come the words, the statuses, the schema in
//! the OpenAPI document and the table in README.md.

use actix_web::http::StatusCode;

macro_rules! codes {
    ($($variant:ident: $word:literal, $status:ident, $meaning:literal;)*) => {
        /// What went wrong, for programs. A word that was published keeps its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ProblemCode {
            $($variant),*
        }

        impl ProblemCode {
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),*
                }
            }

            pub fn status(self) -> StatusCode {
                match self {
                    $(Self::$variant => StatusCode::$status),*
                }
            }

            /// One line for people, which is also the title of the problem.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning),*
                }
            }
        }
    };
}

codes! {
    RequestMalformed: "request-malformed", BAD_REQUEST, "The request cannot be read";
    ParameterInvalid: "parameter-invalid", BAD_REQUEST,
        "A part of the path or a query parameter cannot have this value, or is given twice";
    ParameterUnknown: "parameter-unknown", BAD_REQUEST, "There is no query parameter of this name";
    HeaderInvalid: "header-invalid", BAD_REQUEST, "A header cannot have this value";
    BodyUnreadable: "body-unreadable", BAD_REQUEST, "The body is not what its Content-Type says, or is cut off";
    Unauthenticated: "unauthenticated", UNAUTHORIZED, "Nothing says who is asking";
    TokenWrong: "token-wrong", UNAUTHORIZED, "The token of a login is wrong";
    OriginForeign: "origin-foreign", FORBIDDEN, "A browser sent it from another site than the console";
    SendingDisabled: "sending-disabled", FORBIDDEN, "In this console messages are only read";
    DatabaseForbids: "database-forbids", FORBIDDEN, "The console's login at the database lacks a right";
    RouteUnknown: "route-unknown", NOT_FOUND, "There is nothing at this path";
    AccountUnknown: "account-unknown", NOT_FOUND, "There is no such account, or it was deleted";
    CommandUnknown: "command-unknown", NOT_FOUND, "There is no such command, or it is no longer kept";
    MessageUnknown: "message-unknown", NOT_FOUND, "There is no such message, or it is no longer kept";
    LinkUnknown: "link-unknown", NOT_FOUND, "There is no such pairing link, or no longer";
    QrAbsent: "qr-absent", NOT_FOUND, "No QR code is showing for the account";
    MethodUnknown: "method-unknown", METHOD_NOT_ALLOWED, "The path does not take this method; Allow lists those it takes";
    BodyTooSlow: "body-too-slow", REQUEST_TIMEOUT, "The body did not arrive in time";
    AccountDeleted: "account-deleted", CONFLICT, "The account that was made with this Idempotency-Key was deleted";
    AccountElsewhere: "account-elsewhere", CONFLICT, "The account runs in another daemon: ask there";
    AccountAtRest: "account-at-rest", CONFLICT, "Nothing of the account runs, in no daemon";
    AccountLinked: "account-linked", CONFLICT, "A phone is linked to the account already";
    MessageNotQueued: "message-not-queued", CONFLICT, "Only a queued message can be cancelled";
    LinksNotServed: "links-not-served", CONFLICT, "Pairing links lead nowhere: PAIRD_LINK_URL is not set";
    LinksNotNow: "links-not-now", CONFLICT, "The account takes no such pairing link now";
    LinkOver: "link-over", CONFLICT, "The pairing link was used up, revoked or has expired";
    DrainUndone: "drain-undone", CONFLICT, "The drain was taken back before it was done";
    BodyTooLarge: "body-too-large", PAYLOAD_TOO_LARGE, "The body is larger than this path takes";
    ContentTypeUnknown: "content-type-unknown", UNSUPPORTED_MEDIA_TYPE, "The path does not take a body of this Content-Type";
    HostForeign: "host-foreign", MISDIRECTED_REQUEST, "The Host header does not name a loopback address";
    ArgumentInvalid: "argument-invalid", UNPROCESSABLE_ENTITY, "A field of the body cannot have this value";
    ArgumentMissing: "argument-missing", UNPROCESSABLE_ENTITY, "The body lacks a field";
    ArgumentUnknown: "argument-unknown", UNPROCESSABLE_ENTITY, "The body has a field that there is not";
    KindUnknown: "kind-unknown", UNPROCESSABLE_ENTITY, "There is no command of this kind";
    KeyTaken: "key-taken", UNPROCESSABLE_ENTITY, "The Idempotency-Key was sent with another body before";
    FileWithMistakes: "file-with-mistakes", UNPROCESSABLE_ENTITY, "The file has mistakes, and nothing of it was done";
    PhoneNotAllowed: "phone-not-allowed", UNPROCESSABLE_ENTITY, "The pairing link is for another number";
    QueueFull: "queue-full", TOO_MANY_REQUESTS, "As many messages of the account wait as may";
    RequestsTooMany: "requests-too-many", TOO_MANY_REQUESTS, "There were too many such requests lately";
    Internal: "internal", INTERNAL_SERVER_ERROR, "paird has a fault; its log says more";
    DatabaseUnavailable: "database-unavailable", SERVICE_UNAVAILABLE, "The database does not answer";
    DaemonUnavailable: "daemon-unavailable", SERVICE_UNAVAILABLE, "The daemon cannot do it at the moment";
    StreamsInUse: "streams-in-use", SERVICE_UNAVAILABLE, "All live streams are in use";
    KeysUnavailable: "keys-unavailable", SERVICE_UNAVAILABLE, "The key that seals logins cannot be used";
    DrainUnfinished: "drain-unfinished", SERVICE_UNAVAILABLE, "The drain, or its undoing, goes on";
}

impl ProblemCode {
    /// Of an error that the framework made.
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::RouteUnknown,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodUnknown,
            StatusCode::REQUEST_TIMEOUT => Self::BodyTooSlow,
            StatusCode::PAYLOAD_TOO_LARGE => Self::BodyTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::ContentTypeUnknown,
            StatusCode::SERVICE_UNAVAILABLE => Self::DaemonUnavailable,
            status if status.is_client_error() => Self::RequestMalformed,
            _ => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use paird_scan::{check_tables, code, table};

    use super::*;

    #[test]
    fn a_code_is_a_word_of_its_own_with_one_line() {
        let words: BTreeSet<&str> = ProblemCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), ProblemCode::ALL.len(), "no word is there twice");
        for one in ProblemCode::ALL {
            assert!(one.as_str().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{one:?}");
            assert!(!one.meaning().ends_with('.') && !one.meaning().contains(['\n', '|']), "{one:?}");
            assert!(one.status().is_client_error() || one.status().is_server_error(), "{one:?}");
        }
    }

    #[test]
    fn every_error_of_the_framework_has_a_code_of_its_class() {
        for status in (400..600).filter_map(|status| StatusCode::from_u16(status).ok()) {
            let own = ProblemCode::of_status(status).status();
            assert!(own == status || ["400", "500"].contains(&own.as_str()), "{status} became {own}");
            assert_eq!(own.is_client_error(), status.is_client_error(), "{status}");
        }
    }

    #[test]
    fn the_table_of_problems_is_that_of_the_source() {
        let rows = ProblemCode::ALL
            .iter()
            .map(|one| [code(one.as_str()), one.status().as_u16().to_string(), one.meaning().to_owned()]);
        let problems = table(["code", "status", "meaning"], rows);
        let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console/README.md");
        check_tables(&document, &[("problems", problems)], "cargo test -p paird --lib the_table_of_problems");
    }
}
