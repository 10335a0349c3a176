//! Clients of the load: what does each do for a number, and is the answer right?

use super::programs::*;
use super::*;

/// The moment of a disconnect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// After the first output.
    AfterOutput,
    /// Any, perhaps before anything has begun.
    Any,
}

/// Whether a client has a session meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beside {
    /// An open session.
    Session,
    /// No session.
    None,
}

/// A request of a client.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    /// The method and the path.
    pub(crate) what: (&'a str, &'a str),
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: Option<&'a Value>,
}

impl<'a> Call<'a> {
    /// A request for a resource.
    pub(crate) fn get(path: &'a str) -> Self {
        Self {
            what: ("GET", path),
            headers: &[],
            body: None,
        }
    }
}

/// The clients' knowledge of their executions' outcomes.
#[derive(Default)]
pub(crate) struct Tally {
    /// Executions with a known outcome, by status.
    pub(crate) ended: BTreeMap<String, u64>,
    /// Executions that were abandoned before their outcome was known.
    pub(crate) left: u64,
    pub(crate) wrong: Vec<String>,
}

impl Tally {
    pub(crate) fn count(&mut self, status: &str) {
        *self.ended.entry(status.to_owned()).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: Self) {
        for (status, number) in other.ended {
            *self.ended.entry(status).or_default() += number;
        }
        self.left += other.left;
        self.wrong.extend(other.wrong);
    }
}

/// A subject, and its key.
pub(crate) type Holder = (String, String);

/// A client with a keep-alive connection.
pub(crate) struct Client<'a> {
    service: &'a Service,
    holder: &'a Holder,
    stream: Option<BufReader<TcpStream>>,
    pub(crate) tally: Tally,
}

impl<'a> Client<'a> {
    pub(crate) fn new(service: &'a Service, holder: &'a Holder) -> Self {
        Self {
            service,
            holder,
            stream: None,
            tally: Tally::default(),
        }
    }

    pub(crate) fn begin(&self, stream: &mut TcpStream, call: &Call<'_>) -> io::Result<()> {
        let Call {
            what: (method, path),
            headers,
            body,
        } = *call;
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let (address, key) = (self.service.address(), &self.holder.1);
        let length = body.len();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\nContent-Length: {length}\r\n"
        );
        if length > 0 {
            head += "Content-Type: application/json\r\n";
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{head}\r\n{body}").as_bytes())
    }

    pub(crate) fn send(&mut self, call: &Call<'_>) -> Result<Answer, String> {
        let what = call.what;
        let mut stream = self
            .stream
            .take()
            .unwrap_or_else(|| BufReader::new(self.service.connect()));
        let sent = self.begin(stream.get_mut(), call);
        let answer = sent
            .and_then(|()| receive(&mut stream))
            .map_err(|error| format!("{what:?}: {error}"))?;
        if !answer.header("connection").eq_ignore_ascii_case("close") {
            self.stream = Some(stream);
        }
        Ok(answer)
    }

    /// Sends a request, asserts the status, and returns the body.
    pub(crate) fn ask(&mut self, status: u16, call: &Call<'_>) -> Result<Value, String> {
        let what = call.what;
        let answer = self.send(call)?;
        if answer.status != status {
            return Err(format!("{what:?}: {} {}", answer.status, answer.text()));
        }
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer.body).map_err(|error| format!("{error}: {}", answer.text()))
    }

    /// Records an outcome, and reports what is wrong with it.
    pub(crate) fn check(
        &mut self,
        got: &Value,
        expected: &[(&'static str, Value)],
    ) -> Result<(), String> {
        self.tally.count(got["status"].as_str().unwrap_or("none"));
        let own = ("/subject", json!(self.holder.0));
        for (place, value) in expected.iter().chain([&own]) {
            let found = got.pointer(place).unwrap_or(&Value::Null);
            if found != value {
                return Err(format!("`{place}` is {found} and not {value}: {got}"));
            }
        }
        Ok(())
    }

    pub(crate) fn perform(&mut self, kind: Kind, number: u64) -> Result<(), String> {
        match kind {
            Kind::Whole(program) => self.whole(&case(program, number), number),
            Kind::Later => self.later(number),
            Kind::Streamed => self.streamed(number),
            Kind::Cancelled => self.leave(number, Moment::AfterOutput),
            Kind::Dropped => self.leave(number, Moment::Any),
            Kind::Session => self.session(number),
        }
    }

    pub(crate) fn whole(&mut self, case: &Case, number: u64) -> Result<(), String> {
        let got = self.ask(
            200,
            &Call {
                what: ("POST", RUN),
                headers: &[],
                body: Some(&case.body),
            },
        )?;
        self.check(&got, &case.expected)?;
        let place = format!("{RUN}/{}", id(&got));
        let handed_back = got["artifacts"].as_array().map_or(0, Vec::len);
        if handed_back != case.files.len() {
            return Err(format!("{handed_back} files were handed back: {got}"));
        }
        for (path, content) in &case.files {
            let file = self.send(&Call::get(&format!("{place}/artifacts/{path}")))?;
            if file.status != 200 || file.text() != *content {
                return Err(format!("`{path}` is {} {}", file.status, file.text()));
            }
        }
        if number.is_multiple_of(10) {
            let kept = self.ask(200, &Call::get(&place))?;
            if kept != got {
                return Err(format!("kept is {kept}, and answered was {got}"));
            }
        }
        Ok(())
    }

    pub(crate) fn later(&mut self, number: u64) -> Result<(), String> {
        let accepted = self.ask(
            202,
            &Call {
                what: ("POST", RUN),
                headers: &[("Prefer", "respond-async")],
                body: Some(&request(number, SAYS)),
            },
        )?;
        let place = format!("{RUN}/{}", id(&accepted));
        let until = Instant::now() + PATIENCE;
        loop {
            let got = self.ask(200, &Call::get(&place))?;
            if !is_unfinished(&got) {
                return self.check(&got, &says(number, &format!("{number}\n")));
            }
            if Instant::now() > until {
                return Err(format!("it does not end: {got}"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn streamed(&mut self, number: u64) -> Result<(), String> {
        let answer = self.send(&Call {
            what: ("POST", RUN),
            headers: &[("Accept", "text/event-stream")],
            body: Some(&request(number, SAYS_SLOWLY)),
        })?;
        if answer.status != 200 {
            return Err(format!("{} {}", answer.status, answer.text()));
        }
        let events = events(&answer.text())?;
        let expected: String = (0..3).map(|line| format!("{line} {number}\n")).collect();
        let pieces = events.iter().filter(|(kind, _)| kind == "stdout");
        let said: String = pieces
            .map(|(_, data)| data["text"].as_str().unwrap_or_default())
            .collect();
        match events.last() {
            Some((kind, end)) if kind == "end" => self.check(end, &says(number, &expected))?,
            _ => return Err(format!("the last event is not the end: {}", answer.text())),
        }
        if said == expected {
            Ok(())
        } else {
            Err(format!("the events say {said:?}: {}", answer.text()))
        }
    }

    /// Disconnects during a program that would not end by itself: after its first output, or at
    /// some moment.
    pub(crate) fn leave(&mut self, number: u64, moment: Moment) -> Result<(), String> {
        let mut stream = self.service.connect();
        let accept = if moment == Moment::AfterOutput {
            "text/event-stream"
        } else {
            "application/json"
        };
        let sent = self.begin(
            &mut stream,
            &Call {
                what: ("POST", RUN),
                headers: &[("Accept", accept)],
                body: Some(&request(number, ENDLESS)),
            },
        );
        sent.map_err(|error| error.to_string())?;
        if moment == Moment::Any {
            std::thread::sleep(Duration::from_millis(number % 40));
            self.tally.left += 1;
            return Ok(());
        }
        let mark = json!({ "text": format!("{number}\n") }).to_string();
        let mut said = String::new();
        let mut piece = [0; 2000];
        while !said.contains(&mark) {
            match stream.read(&mut piece) {
                Ok(length) if length > 0 => {
                    said.push_str(&String::from_utf8_lossy(&piece[..length]))
                }
                ended => return Err(format!("no output comes ({ended:?}): {said}")),
            }
        }
        self.tally.count("cancelled");
        Ok(())
    }

    pub(crate) fn session(&mut self, number: u64) -> Result<(), String> {
        let language = if is_python(number) {
            "python"
        } else {
            "javascript"
        };
        let opened = self.ask(
            201,
            &Call {
                what: ("POST", SESSIONS),
                headers: &[],
                body: Some(&json!({ "language": language })),
            },
        )?;
        let place = format!("{SESSIONS}/{}", id(&opened));
        let end = format!("{} {}\n", number * 2 + 1, number * 2 + 2);
        for (sources, stdout) in SESSION.into_iter().zip(["", "", end.as_str()]) {
            let body = json!({ "source": request(number, sources)["source"] });
            let got = self.ask(
                200,
                &Call {
                    what: ("POST", &format!("{place}/executions")),
                    headers: &[],
                    body: Some(&body),
                },
            )?;
            let more = vec![
                ("/session", opened["id"].clone()),
                ("/language", json!(language)),
            ];
            self.check(&got, &[ends("succeeded", stdout), more].concat())?;
        }
        self.ask(
            204,
            &Call {
                what: ("DELETE", &place),
                headers: &[],
                body: None,
            },
        )
        .map(drop)
    }

    /// Runs a program that needs much of everything, beside an open session, and reads its records.
    pub(crate) fn large_and_slow(&mut self, language: &str, beside: Beside) -> Result<(), String> {
        let mut session = Value::Null;
        if beside == Beside::Session {
            session = self.ask(
                201,
                &Call {
                    what: ("POST", SESSIONS),
                    headers: &[],
                    body: Some(&json!({ "language": language })),
                },
            )?;
        }
        let text = "x".repeat(LARGE);
        let source = LARGE_AND_SLOW[usize::from(language != "python")];
        let body = json!({ "language": language, "source": source, "stdin": text, "artifacts": ["out/*"] });
        let got = self.ask(
            200,
            &Call {
                what: ("POST", RUN),
                headers: &[],
                body: Some(&body),
            },
        )?;
        let more = vec![("/exception/message", json!(LARGE.to_string()))];
        self.check(&got, &[ends("failed", &format!("{text}\n")), more].concat())?;
        let place = format!("{RUN}/{}", id(&got));
        for path in [
            place.clone(),
            format!("{place}/artifacts/out/a"),
            format!("{RUN}?limit=500"),
            place,
        ] {
            let answer = self.send(&Call::get(&path))?;
            if answer.status != 200 {
                return Err(format!("{path}: {}", answer.status));
            }
        }
        if beside == Beside::Session {
            self.ask(
                204,
                &Call {
                    what: ("DELETE", &format!("{SESSIONS}/{}", id(&session))),
                    headers: &[],
                    body: None,
                },
            )?;
        }
        Ok(())
    }
}

pub(crate) fn id(answer: &Value) -> &str {
    answer["id"].as_str().unwrap_or_default()
}

pub(crate) fn is_unfinished(execution: &Value) -> bool {
    ["queued", "running"].contains(&execution["status"].as_str().unwrap_or_default())
}

pub(crate) fn says(number: u64, stdout: &str) -> Expected {
    [
        ends("succeeded", stdout),
        vec![("/value/json", json!(number * 7)), ("/exit_code", json!(0))],
    ]
    .concat()
}

/// Reads one response, and no byte after it.
pub(crate) fn receive(stream: &mut impl BufRead) -> io::Result<Answer> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status = line
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no status: {line:?}")))?;
    let mut answer = Answer {
        status,
        headers: Vec::new(),
        body: Vec::new(),
    };
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        match line.split_once(':') {
            Some((name, value)) => answer
                .headers
                .push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None if line == "\r\n" => break,
            None => return Err(io::Error::other(format!("no header: {line:?}"))),
        }
    }
    if answer.header("transfer-encoding") != "chunked" {
        answer
            .body
            .resize(answer.header("content-length").parse().unwrap_or(0), 0);
        stream.read_exact(&mut answer.body)?;
        return Ok(answer);
    }
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
        let start = answer.body.len();
        answer.body.resize(start + size + 2, 0);
        stream.read_exact(&mut answer.body[start..])?;
        answer.body.truncate(start + size);
        if size == 0 {
            return Ok(answer);
        }
    }
}

/// Parses the events of a stream, whose ids must be consecutive.
pub(crate) fn events(text: &str) -> Result<Vec<(String, Value)>, String> {
    let mut events = Vec::new();
    for block in text.split("\n\n") {
        let field = |name: &str| {
            block
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        if field("event:").is_empty() {
            continue;
        }
        if field("id:") != (events.len() + 1).to_string() {
            return Err(format!("an event is missing: {text}"));
        }
        let data =
            serde_json::from_str(&field("data:")).map_err(|error| format!("{error}: {text}"))?;
        events.push((field("event:"), data));
    }
    Ok(events)
}
