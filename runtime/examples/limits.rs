//! Example of limits: how does each end a program, while the sandbox stays usable?
//!
//! `cargo run --release -p glovebox --example limits`

use glovebox::{Request, Sandbox};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::builder().build()?;
    let programs = [
        ("a loop", "while True: pass"),
        ("a sleep", "import time; time.sleep(3600)"),
        ("a memory bomb", "x = bytearray(1 << 40)"),
        ("deep recursion", "def f(): return f()\nf()"),
        ("an output flood", "while True: print('x' * 1000)"),
        ("a full disk", "open('big', 'wb').write(bytes(1 << 28))"),
        ("and a program that behaves", "print('fine')"),
    ];
    for (name, source) in programs {
        let mut request = Request::new("python", source);
        request.wants.limits.wall = Some(Duration::from_secs(2));
        request.wants.limits.fuel = Some(1_000_000_000);
        request.wants.limits.memory = Some(128 << 20);
        request.wants.limits.output = Some(64 << 10);
        let outcome = sandbox.run(request).await?;
        let limit = outcome
            .reached_limit()
            .map_or("no limit", |limit| limit.name());
        let exception = outcome
            .exception
            .map_or(String::new(), |exception| format!(", {}", exception.kind));
        println!(
            "{name}: {} ({limit}{exception}) after {:?}",
            outcome.status.name(),
            outcome.usage.wall
        );
    }
    Ok(())
}
