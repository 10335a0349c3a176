//! Example of a session: what does an evaluation keep of the ones before it?
//!
//! `cargo run --release -p glovebox --example session`

use glovebox::{Request, Sandbox};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::builder().build()?;
    let mut session = sandbox.open(Request::new("python", "")).await?;
    session.put_file("numbers.txt", *b"1 2 3 4").await?;
    session
        .evaluate("numbers = [int(n) for n in open('numbers.txt').read().split()]")
        .await?;
    session
        .evaluate("def running():\n    total = 0\n    for n in numbers:\n        total += n\n        yield total\nsums = running()")
        .await?;
    for _ in 0..4 {
        let outcome = session.evaluate("next(sums)").await?;
        println!(
            "{}",
            outcome
                .value
                .map_or_else(|| outcome.stderr.text().into_owned(), |value| value.text)
        );
    }
    session.close()?;
    Ok(())
}
