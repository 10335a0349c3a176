//! Tools and builders: who is answered, and what is refused?

use super::audit::Records;
use super::*;

struct Adds;

#[async_trait]
impl Tool for Adds {
    async fn call(&self, arguments: String) -> Result<String, String> {
        let value: serde_json::Value =
            serde_json::from_str(&arguments).map_err(|error| error.to_string())?;
        let (a, b) = (
            value["a"].as_i64().ok_or("`a` is missing")?,
            value["b"].as_i64().ok_or("`b` is missing")?,
        );
        tokio::time::sleep(Duration::from_millis(30)).await;
        Ok((a + b).to_string())
    }
}

#[test]
fn tools_answer_only_programs_that_were_granted_them() {
    let records = Arc::new(Records::default());
    let tools = "\n[profiles.attack.tools]\nallow = [\"math/*\"]\ndeny = [\"math/secret\"]\n";
    let builder = Sandbox::builder()
        .policy(policy("", tools))
        .guests(guests())
        .audit(records.clone());
    let sandbox = builder
        .tool("math/add", Arc::new(Adds))
        .tool("math/secret", Arc::new(Adds))
        .tool("other/add", Arc::new(Adds))
        .build()
        .expect("a sandbox can be made");
    let python = r#"
import asyncio, glovebox, time
print(glovebox.call_tool("math/add", a=1, b=2))
async def many():
    return await asyncio.gather(*(glovebox.acall_tool("math/add", a=n, b=n) for n in range(10)))
start = time.perf_counter()
print(asyncio.run(many()), time.perf_counter() - start < 0.25)
for name in ("math/secret", "other/add"):
    try:
        glovebox.call_tool(name, a=1, b=2)
    except PermissionError as error:
        print("refused", name, "denied by" in str(error))
try:
    glovebox.call_tool("math/add", a=1)
except Exception as error:
    print(error)
"#;
    let outcome = run(&sandbox, Request::new("python", python));
    let text = outcome.stdout.text();
    assert!(
        text.starts_with("3\n[0, 2, 4, 6, 8, 10, 12, 14, 16, 18] True\nrefused math/secret True\nrefused other/add True\n"),
        "{}",
        show(&outcome)
    );
    assert!(text.contains("`b` is missing"), "{}", show(&outcome));
    assert_eq!(outcome.usage.host_calls, 14);
    let javascript = "console.log(await callTool('math/add', { a: 1, b: 2 }), (await Promise.all([1, 2].map((n) => callTool('math/add', { a: n, b: n })))).join());
        try { await callTool('other/add', { a: 1, b: 1 }); } catch (error) { console.log('refused', /denied by/.test(error.message)); }";
    let outcome = run(&sandbox, Request::new("javascript", javascript));
    assert_eq!(
        outcome.stdout.text(),
        "3 2,4\nrefused true\n",
        "{}",
        show(&outcome)
    );
    let called = records
        .0
        .lock()
        .expect("no writer breaks")
        .iter()
        .filter(|record| matches!(&record.event, AuditEvent::Called { .. }))
        .count();
    assert_eq!(called, 14 + 4, "every call is in the log");
    let mut request = Request::new(
        "python",
        "import glovebox\nglovebox.call_tool('math/add', a=1, b=2)",
    );
    request.wants.tools = Some(vec![]);
    let outcome = run(&sandbox, request);
    assert_eq!(
        outcome.exception.map(|raised| raised.kind),
        Some("PermissionError".to_owned()),
        "the request kept no tools"
    );
}

#[test]
fn a_builder_refuses_what_makes_no_sense() {
    assert!(
        Sandbox::builder()
            .guests(guests())
            .max_running(0)
            .build()
            .is_err()
    );
    assert!(
        Sandbox::builder()
            .guests(guests())
            .max_running(usize::MAX)
            .build()
            .is_err()
    );
    let one = Sandbox::builder()
        .guests(guests())
        .policy(Policy::builtin())
        .max_running(1)
        .build()
        .expect("a sandbox can be made");
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let one = one.clone();
            runtime()
                .spawn(async move { one.run(Request::new("javascript", "console.log(1)")).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(
            runtime()
                .block_on(task)
                .expect("it ends")
                .expect("the host works")
                .stdout
                .text(),
            "1\n"
        );
    }
}

#[test]
fn a_wait_for_a_place_can_be_given_up() {
    let sandbox = sandbox("concurrency = 1\nwall = \"3s\"", "");
    let mut session = session::open(&sandbox, Request::new("python", ""));
    let outcome = runtime()
        .block_on(sandbox.run(Request::new("python", "print(1)")))
        .expect("the host works");
    assert_eq!(
        outcome.stdout.text(),
        "1\n",
        "a session that is idle takes no place"
    );
    let evaluating =
        runtime().spawn(async move { session.evaluate("import time\ntime.sleep(1)").await });
    std::thread::sleep(Duration::from_millis(200));
    let controls = Controls::default();
    let stop = controls.stop.clone();
    let waiting = {
        let sandbox = sandbox.clone();
        runtime().spawn(async move {
            sandbox
                .run_with(Request::new("python", "print(1)"), controls)
                .await
        })
    };
    std::thread::sleep(Duration::from_millis(100));
    assert!(!waiting.is_finished(), "an evaluation takes a place");
    stop.cancel();
    assert_eq!(
        runtime()
            .block_on(waiting)
            .expect("it ends")
            .expect("the host works")
            .status,
        Status::Cancelled
    );
    runtime().block_on(async {
        assert!(
            tokio::time::timeout(
                Duration::from_millis(100),
                sandbox.run(Request::new("python", "print(1)"))
            )
            .await
            .is_err()
        );
    });
    assert!(runtime().block_on(evaluating).expect("it ends").is_ok());
    assert_eq!(
        run(&sandbox, Request::new("python", "print(1)"))
            .stdout
            .text(),
        "1\n",
        "no place was lost"
    );
}
