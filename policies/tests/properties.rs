//! Property tests: do the invariants of decisions hold for random policies and requests?

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use glovebox_policy::cases::run_cases;
use glovebox_policy::{
    Facts, Grant, HttpAsk, InputFile, NetworkWish, Policy, Request, Subject, Tier, TierFacts,
    Verdict,
};
use proptest::prelude::*;

const HOSTS: [&str; 7] = [
    "*",
    "api.example.org",
    "*.example.org",
    "*.api.example.org",
    "10.1.2.3",
    "169.254.169.254",
    "other.test",
];
const TOOLS: [&str; 6] = [
    "*",
    "github/*",
    "github/search",
    "github/delete",
    "mail/send",
    "local",
];
const ASKED_HOSTS: [&str; 8] = [
    "api.example.org",
    "a.api.example.org",
    "example.org",
    "10.1.2.3",
    "169.254.169.254",
    "other.test",
    "metadata.google.internal",
    "evil.test",
];

fn some_of(list: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(list.to_vec(), 0..=list.len())
}

fn strings(list: &[&str]) -> String {
    format!("{list:?}")
}

/// A random policy as text, with one profile `p` as the default of every subject.
#[derive(Debug, Clone)]
struct Draft {
    languages: Vec<&'static str>,
    tiers: Vec<&'static str>,
    wall: u64,
    memory: u64,
    allow: Vec<&'static str>,
    deny: Vec<&'static str>,
    tools: Vec<&'static str>,
    no_tools: Vec<&'static str>,
    variables: Vec<&'static str>,
}

impl Draft {
    fn text(&self) -> String {
        let mut text = format!(
            "version = 1\ndefault_profile = \"p\"\n[profiles.p]\nlanguages = {}\ntiers = {}\nmin_isolation = \"container\"\n\
             limits = {{ wall = \"{}s\", memory = \"{}MiB\" }}\ntools = {{ allow = {}, deny = {} }}\nenvironment = {{ allow = {} }}\n\
             mounts = [{{ host = \"/srv/a\", guest = \"/a\" }}, {{ host = \"/srv/b\", guest = \"/b\", write = true }}]\n",
            strings(&self.languages),
            strings(&self.tiers),
            self.wall,
            self.memory,
            strings(&self.tools),
            strings(&self.no_tools),
            strings(&self.variables),
        );
        for (side, hosts) in [("allow", &self.allow), ("deny", &self.deny)] {
            for host in hosts {
                text += &format!("[[profiles.p.network.{side}]]\nhost = {host:?}\n");
            }
        }
        text + "[profiles.p.network]\nprivate_ranges = [\"10.1.0.0/16\"]\n"
    }
}

fn draft() -> impl Strategy<Value = Draft> {
    let parts = (
        some_of(&["python", "javascript", "wasm"]),
        some_of(&["wasm", "container", "microvm"]),
        1..100u64,
        1..100u64,
        some_of(&HOSTS),
        some_of(&HOSTS),
        some_of(&TOOLS),
        some_of(&TOOLS),
        some_of(&["*", "APP_*", "TOKEN"]),
    );
    parts.prop_map(
        |(languages, tiers, wall, memory, allow, deny, tools, no_tools, variables)| Draft {
            languages,
            tiers,
            wall,
            memory,
            allow,
            deny,
            tools,
            no_tools,
            variables,
        },
    )
}

fn any_request() -> impl Strategy<Value = Request> {
    let wishes = (
        proptest::option::of(0..120u64),
        proptest::option::of(0..120u64),
        proptest::option::of(some_of(&["/a", "/b", "/c"])),
        proptest::option::of(some_of(&HOSTS)),
        proptest::option::of(some_of(&TOOLS)),
    );
    let content = (
        "python|javascript|ruby|\\PC{0,9}",
        "\\PC{0,20}",
        "(APP_X|TOKEN|[A-Z]{1,3}|\\PC{0,5})",
        "([a-z./]{0,8}|\\PC{0,8})",
    );
    (wishes, content, proptest::option::of(0..3usize)).prop_map(
        |((wall, memory, mounts, hosts, tools), (language, source, name, path), tier)| {
            let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<_>>();
            let mut request = Request::new(language, source);
            request.wants.limits.wall = wall.map(Duration::from_secs);
            request.wants.limits.memory = memory.map(|mib| mib << 20);
            request.wants.mounts = mounts.map(owned);
            request.wants.network = hosts.map(|hosts| {
                if hosts.is_empty() {
                    NetworkWish::Nothing
                } else {
                    NetworkWish::Hosts(owned(hosts))
                }
            });
            request.wants.tools = tools.map(owned);
            request.wants.tier = tier.and_then(|index| Tier::ALL.get(index).copied());
            if !name.is_empty() {
                request.environment.push((name, "secret-value".to_owned()));
            }
            if !path.is_empty() {
                request.files.push(InputFile {
                    path,
                    content: Vec::new().into(),
                });
            }
            request
        },
    )
}

fn facts() -> Facts {
    let languages = vec!["python".to_owned(), "javascript".to_owned()];
    Facts {
        tiers: Tier::ALL
            .iter()
            .map(|tier| TierFacts::new(*tier, languages.clone()))
            .collect(),
        ..Facts::default()
    }
}

fn admit(policy: &Policy, request: &Request) -> Option<Grant> {
    policy.admit(request, &facts()).into_result().ok()
}

/// Returns whether everything that `small` allows is allowed by `large`, as far as a set of samples
/// can show.
fn is_within(small: &Grant, large: &Grant) -> bool {
    let asks = || {
        ASKED_HOSTS
            .iter()
            .flat_map(|host| ["GET", "POST"].map(|method| (host, method)))
    };
    let ask = |host: &str, method: &str| HttpAsk {
        scheme: "https".into(),
        host: host.into(),
        port: 443,
        method: method.into(),
        path: "/".into(),
    };
    let addresses = [
        IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1)),
        IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3)),
        IpAddr::V4(Ipv4Addr::LOCALHOST),
    ];
    small.limits().within(large.limits())
        && small
            .mounts()
            .iter()
            .all(|mount| large.mounts().contains(mount))
        && asks().all(|(host, method)| {
            small.network().check_request(&ask(host, method)).is_err()
                || large.network().check_request(&ask(host, method)).is_ok()
        })
        && ASKED_HOSTS.iter().all(|host| {
            addresses.iter().all(|ip| {
                small.network().check_address(host, *ip).is_err()
                    || large.network().check_address(host, *ip).is_ok()
            })
        })
        && TOOLS
            .iter()
            .all(|tool| small.check_tool(tool).is_err() || large.check_tool(tool).is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// The grant of a request with any wishes stays within the grant of the same request without
    /// wishes.
    #[test]
    fn narrowing_never_widens(draft in draft(), request in any_request()) {
        let policy = Policy::check(&draft.text()).unwrap();
        if let Some(narrow) = admit(&policy, &request) {
            let mut plain = request.clone();
            plain.wants = Default::default();
            let wide = admit(&policy, &plain);
            prop_assert!(wide.is_some_and(|wide| is_within(&narrow, &wide)));
        }
    }

    /// Adding a rule that denies never allows anything that was denied before.
    #[test]
    fn deny_only_takes_away(draft in draft(), request in any_request(), host in proptest::sample::select(&HOSTS[..]), tool in proptest::sample::select(&TOOLS[..])) {
        let before = admit(&Policy::check(&draft.text()).unwrap(), &request);
        let mut stricter = draft;
        stricter.deny.push(host);
        stricter.no_tools.push(tool);
        if let Some(after) = admit(&Policy::check(&stricter.text()).unwrap(), &request) {
            prop_assert!(before.is_some_and(|before| is_within(&after, &before)));
        }
    }

    /// A denied host stays denied although every rule allows it.
    #[test]
    fn deny_beats_allow(draft in draft()) {
        let mut draft = draft;
        draft.allow.push("*");
        draft.deny = vec!["api.example.org"];
        draft.languages.push("python");
        draft.languages.dedup();
        draft.tiers = vec!["wasm"];
        let grant = admit(&Policy::check(&draft.text()).unwrap(), &Request::new("python", "1")).unwrap();
        prop_assert!(grant.network().check_request(&HttpAsk::from_url("GET", "https://api.example.org/").unwrap()).is_err());
        prop_assert!(grant.network().check_request(&HttpAsk::from_url("GET", "https://evil.test/").unwrap()).is_ok());
    }

    /// Deciding and explaining give the same verdict.
    #[test]
    fn explain_agrees_with_admit(draft in draft(), request in any_request()) {
        let policy = Policy::check(&draft.text()).unwrap();
        let explained = policy.explain(&request, &facts());
        match (policy.admit(&request, &facts()), &explained.verdict) {
            (Verdict::Admit(left), Verdict::Admit(right)) => prop_assert_eq!(left.rules(), right.rules()),
            (Verdict::Deny(left), Verdict::Deny(right)) => prop_assert_eq!(&left, right),
            _ => prop_assert!(false, "{}", explained),
        }
        prop_assert!(!explained.to_string().contains("secret-value"));
    }

    /// No message has control characters or values of environment variables.
    #[test]
    fn denials_are_safe_to_log(text in any::<String>(), draft in draft()) {
        let policy = Policy::check(&draft.text()).unwrap();
        let mut request = Request::new(text.clone(), "1");
        request.environment.push((text.clone(), "secret-value".to_owned()));
        request.files.push(InputFile { path: text.clone(), content: Vec::new().into() });
        request.wants.network = Some(NetworkWish::Hosts(vec![text.clone()]));
        request.wants.tools = Some(vec![text.clone()]);
        request.wants.packages = vec![text.clone()];
        request.artifacts.push(text);
        for denial in policy.explain(&request, &facts()).denials() {
            let line = denial.to_string();
            prop_assert!(!line.chars().any(char::is_control) && !line.contains("secret-value"), "{:?}", line);
            prop_assert!(line.len() < 6000);
        }
        let shown = format!("{request:?}");
        prop_assert!(!shown.contains("secret-value"));
    }

    /// No text panics the parser, and no random text is a policy that grants.
    #[test]
    fn reading_never_panics(text in any::<String>()) {
        if let Ok(policy) = Policy::check(&text) {
            prop_assert!(admit(&policy, &Request::new("python", "1")).is_none());
        }
        let _ = run_cases("t", &text, &Policy::builtin());
    }

    /// The same for text that is nearly valid.
    #[test]
    fn reading_nearly_right_text_never_panics(draft in draft(), at in 0.0..1.0f64, cut in 0..40usize, junk in "[\\[\\]{}=\"'#.,\\n a-z0-9*-]{0,6}") {
        let text = draft.text();
        let start = ((text.len() as f64) * at) as usize;
        let end = (start + cut).min(text.len());
        let broken = format!("{}{junk}{}", text.get(..start).unwrap(), text.get(end..).unwrap());
        if let Err(error) = Policy::check(&broken) {
            prop_assert!(!error.problems.is_empty());
            for problem in &error.problems {
                prop_assert!(problem.line >= 1 && problem.column >= 1 && !problem.to_string().contains('\n'));
            }
        }
    }

    /// Order of keys and tables is not part of the meaning.
    #[test]
    fn digest_ignores_order(draft in draft(), split in proptest::bool::ANY) {
        let text = draft.text();
        let mut lines: Vec<&str> = text.lines().collect();
        let head = lines.iter().position(|line| line.starts_with("[profiles")).unwrap();
        let body = lines.iter().skip(head + 1).position(|line| line.starts_with('[')).unwrap() + head + 1;
        lines[head + 1..body].reverse();
        lines[..head].reverse();
        let mut reordered = lines.join("\n");
        if split {
            reordered += "\n# a comment\n";
        }
        prop_assert_eq!(Policy::check(&text).unwrap().digest().to_owned(), Policy::check(&reordered).unwrap().digest().to_owned());
    }

    /// No pair of host and address panics the late checks, and IPv6 forms of an IPv4 address never
    /// get more than that address.
    #[test]
    fn addresses_inside_addresses(host in "\\PC{0,20}", octets in any::<[u8; 4]>(), segments in any::<[u16; 8]>()) {
        let policy = Policy::check("version = 1\ndefault_profile = \"p\"\n[profiles.p]\nextends = \"offline\"\n[[profiles.p.network.allow]]\nhost = \"*\"").unwrap();
        let grant = admit(&policy, &Request::new("python", "1")).unwrap();
        let _ = grant.network().check_address(&host, IpAddr::V6(Ipv6Addr::from(segments)));
        let _ = HttpAsk::from_url("GET", &format!("https://{host}/")).and_then(|ask| grant.network().check_request(&ask));
        let v4 = Ipv4Addr::from(octets);
        let [a, b, c, d] = octets;
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let refused = grant.network().check_address("x.test", IpAddr::V4(v4)).is_err();
        for v6 in [v4.to_ipv6_mapped(), Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low), Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1)] {
            prop_assert!(!refused || grant.network().check_address("x.test", IpAddr::V6(v6)).is_err(), "{}", v6);
        }
    }

    /// A subject either has a valid name or cannot be constructed.
    #[test]
    fn subjects_are_plain(name in any::<String>()) {
        if let Ok(subject) = Subject::new(name.clone()) {
            prop_assert!(subject.as_str() == name && name.is_ascii() && !name.contains(['*', ' ', '"', '\n']));
        }
    }
}
