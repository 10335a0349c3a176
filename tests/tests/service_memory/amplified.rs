//! Amplified memory: is a request charged for what it takes in memory, however few its bytes are?

use super::*;

/// Sends a body in chunks of one byte each, and stops short of its end.
fn dribble(service: &Service, key: &str, bytes: usize) -> TcpStream {
    let mut stream = service.connect();
    let head = format!(
        "POST {RUN} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        service.address()
    );
    stream
        .write_all(head.as_bytes())
        .expect("the service reads");
    let piece = b"1\r\n \r\n".repeat(1 << 14);
    for _ in 0..bytes >> 14 {
        if stream.write_all(&piece).is_err() {
            break;
        }
    }
    stream
}

#[test]
fn a_body_that_comes_byte_by_byte_takes_what_is_charged_for_it() {
    let service = with_limits("", "version = 1\ndefault_profile = \"default\"\n");
    let key = service.make_key(&["a"]);
    assert_eq!(post(&service, &key, RUN, &python("1")).status, 200);
    let before = peak(service.process());
    let _held: Vec<_> = (0..4).map(|_| dribble(&service, &key, 3 << 20)).collect();
    assert_eq!(post(&service, &key, RUN, &python("1")).status, 200);
    let more = peak(service.process()) - before;
    assert!(more < 100 << 20, "{} MiB more", more >> 20);
}

/// Returns a tree of tasks with this many arguments each, of one character.
fn tree_of(tasks: usize, arguments: usize) -> Value {
    let task = |at: usize| json!({ "name": format!("t{at}"), "execution": { "language": "python", "source": "1", "arguments": vec!["a"; arguments] } });
    json!({ "tasks": (0..tasks).map(task).collect::<Vec<_>>() })
}

#[test]
fn strings_are_charged_by_what_they_take_in_memory() {
    let service = with_limits(
        "memory = \"600MiB\"\nmemory_per_subject = \"200MiB\"",
        "version = 1\ndefault_profile = \"default\"\n",
    );
    let key = service.make_key(&["a"]);
    assert_eq!(post(&service, &key, TREES, &tree_of(20, 100)).status, 200);
    let before = peak(service.process());
    // 16 MB of text, with four million strings.
    let answer = post(&service, &key, TREES, &tree_of(400, 10_000));
    assert_eq!(answer.status, 429, "{}", answer.text());
    assert!(
        answer.text().contains("memory_per_subject"),
        "{}",
        answer.text()
    );
    let more = peak(service.process()) - before;
    assert!(more < 100 << 20, "{} MiB more", more >> 20);
}

/// The responses are larger than what the kernel takes of them without a reader.
#[test]
fn unread_responses_are_charged_whatever_they_are() {
    let service = with_limits(
        "memory = \"600MiB\"\nmemory_per_subject = \"64MiB\"",
        "version = 1\ndefault_profile = \"p\"\n[profiles.p]\nextends = \"default\"\n[profiles.p.findings]\nlow = \"record\"\nmedium = \"record\"\nhigh = \"record\"\n",
    );
    let (a, b) = (service.make_key(&["a"]), service.make_key(&["b"]));
    // Each run leaves some records with a hundred findings.
    let source = "x = '169.254.169.254'\n".repeat(120);
    // One after another: there is no memory to inspect several at once.
    for _ in 0..500 {
        assert_eq!(post(&service, &a, RUN, &python(&source)).status, 200);
    }
    let path = "/v1/audit?event=found&limit=500";
    let whole = get(&service, &a, path);
    assert_eq!(whole.status, 200);
    let bytes = whole.text().len();
    assert!(bytes > 5 << 20, "{bytes} bytes");
    let held: Vec<_> = (0..(80 << 20) / bytes)
        .map(|_| unread(&service, &a, path))
        .collect();
    eventually(
        Duration::from_secs(120),
        "nothing is left for one more",
        || {
            let answer = get(&service, &a, path);
            answer.status == 429 && answer.text().contains("memory_per_subject")
        },
    );
    assert_eq!(post(&service, &b, RUN, &python("1")).status, 200);
    drop(held);
    eventually(Duration::from_secs(20), "there is room again", || {
        get(&service, &a, path).status == 200
    });
}
