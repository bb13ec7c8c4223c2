//! Receivers of notices on this machine, each as friendly as its test wants it: a server
//! of HTTP and one of SMTP. They keep what they were sent and end with the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// How a receiver of HTTP answers.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    /// With this status and body.
    Says(u16, &'static str),
    /// Not at all, until whoever asks goes away.
    Silent,
    /// It breaks off in the middle of its answer.
    BreaksOff,
    /// It sends whoever asks elsewhere.
    Redirects,
    /// With a body without end.
    Endless,
}

/// What a receiver was sent.
#[derive(Clone, Debug)]
pub struct Received {
    /// The first line.
    pub request: String,
    /// The headers, names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Received {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A server on this machine.
pub struct Receiver {
    /// Its port.
    pub port: u16,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    /// A server of HTTP.
    pub fn of_http(manner: Manner) -> Receiver {
        Receiver::start(move |stream, received| answer(stream, manner, received))
    }

    /// A server of SMTP; `refuses`: it takes no mail.
    pub fn of_mail(refuses: bool) -> Receiver {
        Receiver::start(move |stream, received| take_mail(stream, refuses, received))
    }

    fn start(
        serve: impl Fn(TcpStream, &Mutex<Vec<Received>>) -> Option<()> + Send + 'static,
    ) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &kept);
            }
        });
        Receiver { port, received }
    }

    /// All that it was sent.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Where it is.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

fn answer(stream: TcpStream, manner: Manner, received: &Mutex<Vec<Received>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut request = String::new();
    reader.read_line(&mut request).ok()?;
    let mut headers = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().ok()?;
        }
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    received.lock().unwrap().push(Received {
        request: request.trim().to_owned(),
        headers,
        body: String::from_utf8(body).ok()?,
    });
    let mut stream = stream;
    match manner {
        Manner::Says(status, body) => {
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            )
            .ok()
        }
        Manner::Silent => reader.read_to_end(&mut Vec::new()).ok().map(|_| ()),
        Manner::BreaksOff => write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{{\"ha"
        )
        .ok(),
        Manner::Redirects => write!(
            stream,
            "HTTP/1.1 307 Elsewhere\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n"
        )
        .ok(),
        Manner::Endless => {
            write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").ok()?;
            while stream.write_all(&[b'x'; 65_536]).is_ok() {}
            Some(())
        }
    }
}

fn take_mail(stream: TcpStream, refuses: bool, received: &Mutex<Vec<Received>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    let mut say = |text: &str| stream.write_all(text.as_bytes()).ok();
    say("220 here\r\n")?;
    let (mut headers, mut body) = (Vec::new(), String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let word = line.split([' ', ':', '\r']).next().unwrap_or_default();
        match word.to_uppercase().as_str() {
            "EHLO" => say("250-here\r\n250 8BITMIME\r\n")?,
            "MAIL" if refuses => say("452 4.3.1 no room\r\n")?,
            "MAIL" | "RCPT" => {
                headers.push((word.to_lowercase(), line.trim().to_owned()));
                say("250 good\r\n")?;
            }
            "DATA" => {
                say("354 go on\r\n")?;
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).ok()?;
                    if line == ".\r\n" {
                        break;
                    }
                    body.push_str(&line);
                }
                received.lock().unwrap().push(Received {
                    request: "DATA".to_owned(),
                    headers: headers.clone(),
                    body: body.clone(),
                });
                say("250 taken\r\n")?;
            }
            "QUIT" => return say("221 bye\r\n"),
            _ => say("502 unknown\r\n")?,
        }
    }
}
