//! Hello world: how is a Python or a JavaScript program run, and its outcome printed?
//!
//! `cargo run --release -p glovebox --example hello`

use glovebox::{Request, Sandbox};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::builder().build()?;
    for (language, source) in [
        ("python", "print('hello from Python')\n6 * 7"),
        ("javascript", "console.log('hello from JavaScript'); 6 * 7"),
    ] {
        let outcome = sandbox.run(Request::new(language, source)).await?;
        print!("{}", outcome.stdout.text());
        println!(
            "  value {:?}, fuel {}, {:?}",
            outcome.value.map(|value| value.text),
            outcome.usage.fuel,
            outcome.usage.wall
        );
    }
    Ok(())
}
