//! WebSockets: can a client talk to a program while it runs?

use glovebox_tests::place::eventually;
use glovebox_tests::service::{RUN, Service, python, read};
use serde_json::{Value, json};
use std::net::TcpStream;
use std::time::Duration;
use tungstenite::{Message, WebSocket};

type Socket = WebSocket<TcpStream>;

fn socket(service: &Service, path: &str) -> Socket {
    let stream = service.connect();
    tungstenite::client(format!("ws://{}{path}", service.address()), stream)
        .unwrap_or_else(|error| panic!("{error}"))
        .0
}

/// The next event.
fn next(socket: &mut Socket) -> Option<Value> {
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => {
                return Some(serde_json::from_str(&text).expect("a message is JSON"));
            }
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

fn until(socket: &mut Socket, event: &str) -> Value {
    loop {
        let told = next(socket).unwrap_or_else(|| panic!("no `{event}` comes"));
        if told["event"] == event {
            return told;
        }
    }
}

/// Starts a program whose input stays open; returns its path.
fn begin(service: &Service, source: &str) -> String {
    let body =
        json!({ "language": "python", "source": source, "stdin": "first\n", "stdin_open": true })
            .to_string();
    let headers = [
        ("Content-Type", "application/json"),
        ("Prefer", "respond-async"),
    ];
    let answer = service.send("POST", RUN, &headers, body.as_bytes());
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.header("location").to_owned()
}

#[test]
fn websocket_client_talks_to_a_running_program() {
    let service = Service::local("");
    let echo = "import sys\nfor line in sys.stdin:\n    print('heard', line.strip(), flush=True)\nprint('over')";
    let place = begin(&service, echo);
    let mut client = socket(&service, &format!("{place}/events"));
    assert_eq!(
        until(&mut client, "stdout")["data"]["text"],
        "heard first\n"
    );
    client
        .send(Message::Text(
            json!({ "stdin": "zweite ä\n" }).to_string().into(),
        ))
        .expect("it is open");
    assert_eq!(
        until(&mut client, "stdout")["data"]["text"],
        "heard zweite ä\n"
    );
    // When a client disconnects, the next one may send the input.
    drop(client);
    let mut client = socket(&service, &format!("{place}/events"));
    eventually(Duration::from_secs(10), "the input is free again", || {
        client = socket(&service, &format!("{place}/events"));
        client
            .send(Message::Binary(b"third\n".to_vec().into()))
            .is_ok()
            && std::iter::from_fn(|| next(&mut client))
                .take(8)
                .any(|event| event["data"]["text"] == "heard third\n")
    });
    client
        .send(Message::Text(
            json!({ "stdin_base64": "bGFzdA==", "stdin_end": true })
                .to_string()
                .into(),
        ))
        .expect("it is open");
    let end = until(&mut client, "end");
    assert!(
        end["data"]["stdout"]
            .as_str()
            .is_some_and(|text| text.ends_with("heard last\nover\n")),
        "{end}"
    );
    assert_eq!(next(&mut client), None, "nothing follows the end");
}

#[test]
fn websocket_message_cancels_and_a_malformed_one_closes() {
    let service = Service::local("");
    let place = begin(&service, "import time\nwhile True: time.sleep(1)");
    let mut nonsense = socket(&service, &format!("{place}/events"));
    nonsense
        .send(Message::Text("{\"shell\": true}".into()))
        .expect("it is open");
    while next(&mut nonsense).is_some() {}
    let mut client = socket(&service, &format!("{place}/events"));
    client
        .send(Message::Text("{\"cancel\": true}".into()))
        .expect("it is open");
    assert_eq!(until(&mut client, "end")["data"]["status"], "cancelled");
    let waits = service.post(
        RUN,
        &json!({ "language": "python", "source": "1", "stdin_open": true }),
    );
    assert_eq!(waits.problem(), (422, "invalid".to_owned()));
}

#[test]
fn websocket_of_an_ended_execution_has_its_end() {
    let service = Service::local("");
    let ran = service.post(RUN, &python("print(5)")).json();
    let mut client = socket(
        &service,
        &format!("{RUN}/{}/events", ran["id"].as_str().unwrap_or_default()),
    );
    assert_eq!(until(&mut client, "end")["data"], ran);
}

/// A web page of another origin is refused (cross-site WebSocket hijacking).
#[test]
fn websocket_of_a_foreign_origin_is_refused() {
    let service = Service::local("");
    let place = begin(&service, "import time\ntime.sleep(1)");
    let mut stream = service.begin(
        "GET",
        &format!("{place}/events"),
        &[
            ("Upgrade", "websocket"),
            ("Origin", "https://evil.example.org"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "eHh4eHh4eHh4eHh4eHh4eA=="),
        ],
        b"",
    );
    assert_eq!(read(&mut stream).status, 403);
}
