//! dev
use glovebox::{Request, Sandbox, Guests};
use std::time::*;
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let a: Vec<String> = std::env::args().collect();
    let b = glovebox_guests::Bundle::open(&a[1])?;
    let t = Instant::now();
    let g = Guests::load(&b, std::path::Path::new("/tmp/me/cache"))?;
    println!("load {:?}", t.elapsed());
    let t = Instant::now();
    g.precompile(glovebox::Metering::Fuel, |n| println!("compile {n}"))?;
    println!("precompile {:?}", t.elapsed());
    let sandbox = Sandbox::builder().guests(g).build()?;
    let src = std::fs::read_to_string(&a[3])?;
    let t = Instant::now();
    let o = sandbox.run(Request::new(a[2].as_str(), src.as_str())).await?;
    println!("first {:?}\n{o:?}", t.elapsed());
    print!("OUT\n{}ERR\n{}", o.stdout.text(), o.stderr.text());
    let n: usize = a.get(4).map_or(0, |n| n.parse().unwrap());
    let mut v = vec![];
    for _ in 0..n { let t = Instant::now(); let o = sandbox.run(Request::new(a[2].as_str(), src.as_str())).await?; v.push(t.elapsed()); assert_eq!(o.exit_code, Some(0)); }
    v.sort();
    if n > 0 { println!("p50 {:?} p99 {:?} min {:?} fuel {}", v[n/2], v[n*99/100], v[0], o.usage.fuel); }
    Ok(())
}
