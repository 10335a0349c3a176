//! HTTP listener: what does the service send to webhooks, issuers and collectors?

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// A received request: its head and its body.
pub(crate) type Heard = (String, Vec<u8>);

/// A server that answers every request with one text, and records what it received: the head and
/// the body.
pub(crate) struct Listener {
    pub(crate) address: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Listener {
    pub(crate) fn new(status: &'static str, text: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener
            .local_addr()
            .expect("it has an address")
            .to_string();
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (kept, text) = (Arc::clone(&kept), text.clone());
                std::thread::spawn(move || answer(stream, status, &text, &kept));
            }
        });
        Self { address, heard }
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn answer(stream: TcpStream, status: &str, text: &str, heard: &Mutex<Vec<Heard>>) {
    let mut stream = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line == "\r\n" {
            break;
        }
        head += &line;
    }
    let mut body = vec![0; length];
    let _ = stream.read_exact(&mut body);
    heard
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push((head, body));
    let _ = write!(
        stream.get_mut(),
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
}
