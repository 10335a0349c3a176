//! Tool providers: which one answers a call, and what does it know about the call?

use async_trait::async_trait;
use glovebox::policy::Grant;
use glovebox::{CallError, CallLimit, Request, Sandbox, ToolCall, ToolProvider, ToolSpec};
use glovebox_tests::attack::show;
use glovebox_tests::place::{guests, policy, run, runtime};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const TOOLS: &str = "\n[profiles.attack.tools]\nallow = [\"up/*\"]\ndeny = [\"up/secret\"]\n";

/// A provider that names itself in its answers, and keeps the keys of its calls.
#[derive(Default)]
struct Upstream {
    name: &'static str,
    keys: Mutex<Vec<String>>,
}

impl Upstream {
    fn new(name: &'static str) -> Arc<Self> {
        Arc::new(Self {
            name,
            ..Self::default()
        })
    }
}

#[async_trait]
impl ToolProvider for Upstream {
    fn tools(&self, _: &Grant) -> Vec<ToolSpec> {
        let spec = |name: &str| ToolSpec {
            name: name.to_owned(),
            ..ToolSpec::default()
        };
        ["up/echo", "up/busy", "up/secret", "down/echo"]
            .map(spec)
            .into()
    }

    async fn call(&self, call: ToolCall<'_>) -> Result<String, CallError> {
        let left = call.deadline.saturating_duration_since(Instant::now());
        assert!(left > Duration::ZERO && left <= Duration::from_secs(60));
        assert_eq!(call.subject.to_string(), "local");
        self.keys
            .lock()
            .expect("no caller breaks")
            .push(call.idempotency_key());
        match call.name {
            "up/echo" => Ok(format!(
                "{{\"by\":\"{}\",\"sent\":{}}}",
                self.name, call.arguments
            )),
            "up/busy" => {
                Err(CallLimit::Provider("the upstream takes 10 calls a minute".to_owned()).into())
            }
            other => Err(CallError::invalid(format!("there is no tool `{other}`"))),
        }
    }
}

fn sandbox(provider: Arc<Upstream>) -> Sandbox {
    Sandbox::builder()
        .policy(policy("wall = \"60s\"\n", TOOLS))
        .guests(guests())
        .tools(provider)
        .build()
        .expect("a sandbox can be made")
}

#[test]
fn provider_answers_granted_calls_and_its_errors_keep_their_kind() {
    let first = Upstream::new("first");
    let sandbox = sandbox(Arc::clone(&first));
    let source = r#"
import glovebox
print(glovebox.call_tool("up/echo", a=1)["by"])
for name in ("up/busy", "up/none", "up/secret", "down/echo"):
    try:
        glovebox.call_tool(name)
    except Exception as error:
        print(name, isinstance(error, PermissionError), "10 calls" in str(error) or "no tool" in str(error))
"#;
    let outcome = run(&sandbox, Request::new("python", source));
    assert_eq!(
        outcome.stdout.text(),
        "first\nup/busy False True\nup/none False True\nup/secret True False\ndown/echo True False\n",
        "{}",
        show(&outcome)
    );
    assert_eq!(outcome.usage.host_calls, 5);
    let keys = first.keys.lock().expect("no caller breaks").clone();
    let expected = [1, 2, 3].map(|number| format!("{}-{number}", outcome.id));
    assert_eq!(keys, expected, "denied calls never reach the provider");
}

#[test]
fn provider_is_replaced_for_later_runs_only() {
    let sandbox = sandbox(Upstream::new("first"));
    let who = "import glovebox\nprint(glovebox.call_tool('up/echo')['by'])";
    let mut session = runtime()
        .block_on(sandbox.open(Request::new("python", "")))
        .expect("a session opens");
    sandbox.set_tools(Upstream::new("second"));
    let old = runtime()
        .block_on(session.evaluate(who))
        .expect("the session works");
    let new = run(&sandbox, Request::new("python", who));
    assert_eq!(
        (old.stdout.text().as_ref(), new.stdout.text().as_ref()),
        ("first\n", "second\n")
    );
    let names: Vec<String> = sandbox
        .tools(session.grant())
        .into_iter()
        .map(|tool| tool.name)
        .collect();
    assert_eq!(
        names,
        ["up/echo", "up/busy"],
        "only granted tools are listed"
    );
}
