//! Counts HTTP requests by route and outcome. Labels are the routes' patterns and fixed words,
//! so that no caller can create a series.

use std::time::Instant;

use actix_web::{
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, StatusCode},
    middleware::Next,
    web::Data,
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::vitals::Vitals;

/// From half a millisecond to ten seconds, after which the console gives up.
const BUCKETS: [f64; 9] = [0.0005, 0.0025, 0.01, 0.05, 0.25, 1.0, 2.5, 5.0, 10.0];

/// Which listener was asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Front {
    Console,
    Probe,
    PairingPage,
}

impl Front {
    fn name(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Probe => "probe",
            Self::PairingPage => "pairing_links",
        }
    }
}

/// The way in which a wrong token was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WrongToken {
    /// In the login form of a browser.
    Login,
    /// In the Authorization header of a program.
    Bearer,
}

impl WrongToken {
    fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Bearer => "bearer",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    listener: &'static str,
    route: String,
    method: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    listener: &'static str,
    route: String,
}

type WrongTokens = Family<[(&'static str, &'static str); 1], Counter>;

/// The series of requests.
#[derive(Clone)]
pub(super) struct HttpMeters {
    requests: Family<Request, Counter>,
    durations: Family<Route, Histogram>,
    wrong_tokens: WrongTokens,
}

impl HttpMeters {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let meters = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            wrong_tokens: Family::default(),
        };
        let requests = "Requests that were answered, by the pattern of the route and the class of the status";
        registry.register("paird_http_requests", requests, meters.requests.clone());
        let durations = "From a request to the head of its answer";
        registry.register_with_unit("paird_http_request_duration", durations, Unit::Seconds, meters.durations.clone());
        let wrong = "Wrong tokens that the console was given, by how";
        registry.register("paird_console_wrong_tokens", wrong, meters.wrong_tokens.clone());
        for how in [WrongToken::Login, WrongToken::Bearer] {
            drop(meters.wrong_tokens.get_or_create(&[("how", how.name())]));
        }
        meters
    }

    pub(super) fn token_was_wrong(&self, how: WrongToken) {
        self.wrong_tokens.get_or_create(&[("how", how.name())]).inc();
    }

    fn answered(&self, front: Front, route: Option<String>, method: &Method, status: StatusCode, since: Instant) {
        let listener = front.name();
        let route = route.unwrap_or_else(|| "none".to_owned());
        let request = Request { listener, route: route.clone(), method: method_name(method), status: class(status) };
        self.requests.get_or_create(&request).inc();
        self.durations.get_or_create(&Route { listener, route }).observe(since.elapsed().as_secs_f64());
    }
}

fn method_name(method: &Method) -> &'static str {
    const KNOWN: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

/// Middleware: counts what passes it. The outermost, so that it sees the answer that is sent.
pub(crate) async fn count_requests<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let since = Instant::now();
    let vitals = request.app_data::<Data<Vitals>>().cloned();
    let front = request.app_data::<Front>().copied();
    let (route, method) = (request.match_pattern(), request.method().clone());
    let answer = next.call(request).await;
    if let Some((vitals, front)) = vitals.zip(front) {
        let status = match &answer {
            Ok(answer) => answer.status(),
            Err(wrong) => wrong.as_response_error().status_code(),
        };
        vitals.metrics().http().answered(front, route, &method, status, since);
    }
    answer
}
