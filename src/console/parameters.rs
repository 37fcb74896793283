//! Strict extractors for query strings and paths, whose errors name the parameter.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::de::DeserializeOwned;
use url::form_urlencoded;
use uuid::Uuid;

use super::{
    json_body::named_by,
    problem::{Problem, ProblemCode, shortened},
};

/// A query that deserializes to `T`, without unknown parameters if `T` denies them.
pub struct Parameters<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Parameters<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request.query_string()).map(Self))
    }
}

fn read<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs)).map_err(|wrong| {
        let (path, words) = (wrong.path().to_string(), wrong.inner().to_string());
        match named_by(&words, &path) {
            (ProblemCode::ArgumentUnknown, Some(name)) => unknown_parameter(&name),
            (_, Some(name)) => Problem::parameter(&name, format!("{name}: {words}")),
            (_, None) => Problem::new(ProblemCode::RequestMalformed, words),
        }
    })
}

/// The problem of a query parameter that there is not.
pub fn unknown_parameter(name: &str) -> Problem {
    let detail = format!("there is no parameter {:?}; /api/openapi.json lists them", shortened(name));
    Problem::new(ProblemCode::ParameterUnknown, detail).field(name)
}

/// The problem of a path, one of whose parts is not what it must be. Of several parts, all ids of
/// rows, it is the first that is none.
pub fn wrong_path(wrong: &actix_web::error::PathError, request: &HttpRequest) -> Problem {
    let detail = format!("{}: {wrong}", request.path());
    let parts = || request.match_info().iter();
    let name = parts().find(|(_, part)| parts().count() == 1 || part.parse::<Uuid>().is_err()).map(|(name, _)| name);
    match name {
        Some(name) => Problem::parameter(name, detail),
        None => Problem::new(ProblemCode::RequestMalformed, detail),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Query {
        #[expect(dead_code, reason = "it is read to see what is said of it")]
        after: Option<i64>,
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        for (query, code, field) in [
            ("after=x", "parameter-invalid", "after"),
            ("after=1&after=2", "parameter-invalid", "after"),
            ("befor=1", "parameter-unknown", "befor"),
        ] {
            let problem = read::<Query>(query).unwrap_err();
            let body = serde_json::to_value(problem.body()).unwrap();
            assert_eq!((&body["code"], &body["field"]), (&code.into(), &field.into()), "{query}: {body}");
            assert!(body["detail"].as_str().unwrap().contains(field), "{body}");
        }
        assert!(read::<Query>("").is_ok());
    }
}
