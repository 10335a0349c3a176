//! Example of a denial: what does it report?
//!
//! `cargo run --release -p glovebox --example denied`

use glovebox::{Policy, Request, Sandbox};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let policy = Policy::parse(
        "policy.toml",
        r#"
            version = 1
            default_profile = "small"

            [profiles.small]
            extends = "offline"
            languages = ["python"]
            limits = { memory = "64MiB" }
        "#,
    )?;
    let sandbox = Sandbox::builder().policy(policy).build()?;

    let mut greedy = Request::new("python", "print('never')");
    greedy.wants.limits.memory = Some(1 << 30);
    for request in [greedy, Request::new("javascript", "console.log('never')")] {
        let outcome = sandbox.run(request).await?;
        if let Some(denial) = outcome.denial {
            println!(
                "{}\n  asked: {}\n  why: {}\n  to allow it:\n{}\n",
                denial.rule, denial.asked, denial.reason, denial.fix
            );
        }
    }
    Ok(())
}
