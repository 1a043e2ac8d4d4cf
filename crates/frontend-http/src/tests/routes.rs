//! Paths and methods.

use http::Method;

use super::*;
use crate::Exposed;

#[tokio::test]
async fn routes_follow_the_catalog() {
    let stage = Stage::echo();
    let body = r#"{"data": [{"id": "a", "text": "x"}]}"#;
    assert_eq!(stage.post("/later", body).await.status, StatusCode::NOT_FOUND);
    stage.catalog.set(flow(&[("/later", false)]));
    assert_eq!(stage.post("/later", body).await.status, StatusCode::OK);
    assert_eq!(stage.post("/index", body).await.json(), json!({"detail": "Not Found"}));
    let paths = stage.get("/openapi.json").await.json()["paths"].clone();
    assert!(paths.get("/later").is_some() && paths.get("/index").is_none(), "{paths}");
}

#[tokio::test]
async fn the_wrong_method_is_told_the_right_ones() {
    let stage = Stage::echo();
    for (method, path, allow) in [
        (Method::GET, "/index", "POST"),
        (Method::PUT, "/index", "POST"),
        (Method::OPTIONS, "/index", "POST"),
        (Method::HEAD, "/", "GET"),
        (Method::POST, "/stream", "GET"),
    ] {
        let request = http::Request::builder().method(&method).uri(path).body(Body::empty()).unwrap();
        let answer = stage.ask(request).await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (StatusCode::METHOD_NOT_ALLOWED, allow),
            "{path}"
        );
        if method != Method::HEAD {
            assert_eq!(answer.json(), json!({"detail": "Method Not Allowed"}));
        }
    }
}

#[tokio::test]
async fn a_slash_too_much_is_sent_on_but_never_to_another_host() {
    let stage = Stage::echo();
    let check = async |path: &str, want: (u16, &str)| {
        let answer = stage.post(path, "{}").await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), want, "{path}");
    };
    check("/index/", (307, "/index")).await;
    check("/index/?a=b", (307, "/index?a=b")).await;
    check("//evil.example/", (404, "")).await;
    check("/_jina_dry_run_", (404, "")).await;
    check("/%69ndex", (422, "")).await;
}

#[tokio::test]
async fn exposed_endpoints_have_routes_of_their_own() {
    let openapi = json!({"summary": "Puts texts in", "tags": ["texts"]});
    let exposed = Exposed {
        endpoint: "/index".into(),
        path: "/v1/put".to_owned(),
        methods: vec![Method::PUT],
        openapi: openapi.as_object().unwrap().clone(),
    };
    let settings = Settings { exposed: vec![exposed], no_debug_endpoints: true, ..Settings::default() };
    let echo = async |request: Request| Ok(Response::One(request.message));
    let stage = Stage::with(settings, Limits::default(), echo);
    let request = http::Request::put("/v1/put").body(Body::from(r#"{"data": []}"#)).unwrap();
    assert_eq!(stage.ask(request).await.status, StatusCode::OK);
    let document = stage.get("/openapi.json").await.json();
    assert_eq!(document["paths"]["/v1/put"]["put"]["summary"], "Puts texts in");
    assert_eq!(stage.get("/status").await.status, StatusCode::NOT_FOUND);
    assert_eq!(stage.get("/dry_run").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn probes_tell_whether_requests_are_taken() {
    let stage = Stage::echo();
    for path in ["/", "/health"] {
        let answer = stage.get(path).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({})), "{path}");
    }
    let latch = stage.unready();
    assert_eq!(stage.get("/").await.status, StatusCode::SERVICE_UNAVAILABLE);
    latch.set();
    assert_eq!(stage.get("/").await.status, StatusCode::OK);
    let status = stage.get("/status").await.json();
    assert_eq!(status["jina"]["jina"], "3.34.0");
}

#[tokio::test]
async fn the_dry_run_asks_the_executors() {
    let (send, receive) = std::sync::mpsc::channel();
    let stage = Stage::new(move |request: Request| {
        send.send(request.message.header.endpoint.clone()).unwrap();
        std::future::ready(Ok(Response::One(request.message)))
    });
    let answer = stage.get("/dry_run").await;
    assert_eq!(answer.json(), json!({"code": 0, "description": "", "exception": null}));
    assert_eq!(receive.try_recv().unwrap().as_deref(), Some(call::DRY_RUN_ENDPOINT));
    let gone = Stage::new(async |_| Err(Error::new(call::ErrorCode::Unavailable, "encoder is gone")));
    let answer = gone.get("/dry_run").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["code"], 1);
    assert_eq!(answer.json()["exception"]["name"], "InternalNetworkError");
}

#[tokio::test]
async fn any_page_may_call_if_that_is_wanted() {
    let echo = async |request: Request| Ok(Response::One(request.message));
    let preflight = || {
        http::Request::options("/index")
            .header("origin", "http://x.y")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type")
            .body(Body::empty())
            .unwrap()
    };
    let settings = Settings { cors: true, ..Settings::default() };
    let answer = Stage::with(settings, Limits::default(), echo).ask(preflight()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("access-control-allow-origin"), "http://x.y");
    assert_eq!(answer.header("access-control-allow-headers"), "content-type");
    assert_eq!(answer.header("access-control-max-age"), "600");
    assert_eq!(Stage::echo().ask(preflight()).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_pages_bring_all_that_they_need() {
    let stage = Stage::echo();
    for page in ["/docs", "/redoc"] {
        let answer = stage.get(page).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'self';") && !policy.contains("http"), "{policy}");
        let page = String::from_utf8(answer.body()).unwrap();
        assert!(!page.contains("://"), "the page must not load from elsewhere: {page}");
        let is_part = |word: &&str| [".js", ".css", ".png"].iter().any(|kind| word.ends_with(kind));
        let parts: Vec<_> = page.split('"').filter(is_part).collect();
        assert!(!parts.is_empty(), "{page}");
        for part in parts {
            let answer = stage.get(&format!("/{part}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{part}");
            assert!(answer.body().len() > 100, "{part}");
        }
    }
}

#[tokio::test]
async fn a_proxy_may_leave_its_path_in_front_or_take_it_away() {
    let settings = Settings { root_path: call::RootPath::new("/api/"), ..Settings::default() };
    let echo = async |request: Request| Ok(Response::One(request.message));
    let stage = Stage::with(settings, Limits::default(), echo);
    let body = r#"{"data": [{"id": "a", "text": "x"}]}"#;
    for path in ["/index", "/api/index", "/%61pi/index"] {
        assert_eq!(stage.post(path, body).await.status, StatusCode::OK, "{path}");
    }
    for path in ["/apiindex", "/api/api/index", "/api//index"] {
        assert_eq!(stage.post(path, body).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    for (path, location) in [("/api", "/api/"), ("/api/status/", "/api/status"), ("/status/", "/api/status")]
    {
        assert_eq!(stage.get(path).await.header("location"), location, "{path}");
    }
    let document = stage.get("/api/openapi.json").await.json();
    assert_eq!(document["servers"], json!([{"url": "/api"}]));
    assert!(document["paths"].get("/index").is_some(), "{document}");
}

#[tokio::test]
async fn nobody_speaks_websocket_here() {
    let stage = Stage::echo();
    for path in ["/", "/index", "/nowhere"] {
        let request = http::Request::get(path).header("connection", "Upgrade").header("upgrade", "WebSocket");
        let answer = stage.ask(request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.header("connection")), (StatusCode::FORBIDDEN, "close"), "{path}");
        assert_eq!((answer.header("content-type"), answer.body()), ("text/plain", Vec::new()), "{path}");
    }
}

#[tokio::test]
async fn what_is_mounted_knows_nothing_of_a_proxy() {
    let settings = Settings { root_path: call::RootPath::new("/api"), ..Settings::default() };
    let (_accepting, watch) = tokio::sync::watch::channel(true);
    let report = Report::new(Traffic::default());
    let admission = Admission::new(Limits::default());
    let front_end = FrontEnd::new(Catalog::default(), admission, Health::new(watch), report, settings);
    let echo = async |request: Request| Ok(Response::One(request.message));
    let tell = async |request: http::Request<call::Arrived>| {
        Ok::<_, std::convert::Infallible>(axum::response::Response::new(Body::from(
            request.uri().to_string(),
        )))
    };
    let mounted = crate::Mounted::new("/there", service_fn(tell));
    let http = front_end.service_beside(Handler::new(service_fn(echo)), [mounted]);
    for path in ["/api/there/x?y=z", "/there/x?y=z"] {
        let Ok(answer) = http.clone().oneshot(http::Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "/there/x?y=z", "{path}");
    }
}
