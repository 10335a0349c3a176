//! Example of streaming output and cancellation: how is a run followed and stopped?
//!
//! `cargo run --release -p glovebox --example streaming`

use glovebox::{CancellationToken, Controls, Request, Sandbox};
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::builder().build()?;
    let (sender, mut receiver) = mpsc::channel(16);
    let stop = CancellationToken::new();
    let controls = Controls {
        output: Some(sender),
        stop: stop.clone(),
        ..Controls::default()
    };
    let source = "import time\nfor n in range(1000):\n    print('tick', n)\n    time.sleep(0.1)";
    let run = tokio::spawn(async move {
        sandbox
            .run_with(Request::new("python", source), controls)
            .await
    });
    let mut seen = 0;
    while let Some(chunk) = receiver.recv().await {
        print!("{}", String::from_utf8_lossy(&chunk.bytes));
        seen += 1;
        if seen == 5 {
            stop.cancel();
        }
    }
    println!("{}", run.await??.status.name());
    Ok(())
}
