//! Example of files: how do inputs go in and artifacts come out?
//!
//! `cargo run --release -p glovebox --example files`

use glovebox::policy::InputFile;
use glovebox::{Request, Sandbox};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::builder().build()?;
    let mut request = Request::new(
        "python",
        r#"
import csv, json, os
rows = list(csv.DictReader(open("people.csv")))
os.makedirs("out", exist_ok=True)
json.dump({row["name"]: int(row["age"]) for row in rows}, open("out/people.json", "w"))
"#,
    );
    request.files.push(InputFile {
        path: "people.csv".into(),
        content: (*b"name,age\nAda,36\nAlan,41\n").into(),
    });
    request.artifacts.push("out/*.json".into());
    let outcome = sandbox.run(request).await?;
    print!("{}", outcome.stderr.text());
    for artifact in outcome.artifacts {
        println!(
            "{}: {}",
            artifact.path,
            String::from_utf8_lossy(&artifact.content)
        );
    }
    Ok(())
}
