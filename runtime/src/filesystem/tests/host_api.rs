//! Tests of the host API: what can the host put in and take out, and how may a guest interfere?

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::*;

fn globs(patterns: &[&str]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(Glob::new(pattern).unwrap());
    }
    set.build().unwrap()
}

const MANY: CollectLimits = CollectLimits {
    files: 100,
    bytes: 1 << 20,
};

#[tokio::test]
async fn files_go_in_and_come_out() {
    let mut guest = Guest::new();
    guest
        .filesystem
        .put("in/data.csv", b"1,2".to_vec())
        .unwrap();
    assert_eq!(guest.get("work/in/data.csv").await, Ok(b"1,2".to_vec()));
    guest.filesystem.put("in/data.csv", b"3".to_vec()).unwrap();
    assert_eq!(guest.get("work/in/data.csv").await, Ok(b"3".to_vec()));
    guest.put("work/out.txt", b"result").await.unwrap();
    assert_eq!(
        guest.filesystem.read("out.txt", 0..u64::MAX),
        Ok(b"result".to_vec())
    );
    let names: Vec<_> = guest
        .filesystem
        .list("", None, usize::MAX)
        .unwrap()
        .into_iter()
        .map(|entry| (entry.name, entry.size))
        .collect();
    assert_eq!(names, [("in".to_owned(), 0), ("out.txt".to_owned(), 6)]);
    assert_eq!(
        guest.filesystem.remove("in"),
        Err(FilesystemError::NotEmpty { path: "in".into() })
    );
    guest.filesystem.remove("in/data.csv").unwrap();
    guest.filesystem.remove("in").unwrap();
    assert_eq!(
        guest.filesystem.read("in", 0..u64::MAX),
        Err(FilesystemError::NotFound { path: "in".into() })
    );
}

#[tokio::test]
async fn unusable_paths_are_refused() {
    let mut guest = Guest::new();
    for path in [
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a//b",
        "a/./b",
        "a/",
        "a\0b",
        &"n".repeat(256),
        &"a/".repeat(3000),
    ] {
        let error = Err(FilesystemError::Path {
            path: path.to_owned(),
        });
        assert_eq!(guest.filesystem.put(path, b"x".to_vec()), error);
        assert_eq!(guest.filesystem.remove(path), error);
        assert_eq!(guest.filesystem.read(path, 0..u64::MAX).map(|_| ()), error);
    }
    assert_eq!(
        guest.filesystem.put("", b"x".to_vec()),
        Err(FilesystemError::Kind {
            path: String::new()
        })
    );
    let huge = vec![0; 2 << 20];
    assert_eq!(
        guest.filesystem.put("huge", huge),
        Err(FilesystemError::Full {
            path: "huge".into()
        })
    );
    let mut none = Guest::with(FilesystemSetup::default(), LIMITS);
    assert_eq!(
        none.filesystem.put("x", b"x".to_vec()),
        Err(FilesystemError::NoWorkspace)
    );
    assert_eq!(none.list(".").await.unwrap(), [""; 0]);
}

/// FS26: a link that the guest left behind is not followed by the host.
#[tokio::test]
async fn links_of_the_guest_are_not_followed() {
    let mut guest = Guest::new();
    guest.mkdir("work/d").await.unwrap();
    guest.put("work/d/f", b"x").await.unwrap();
    guest
        .symlink("../usr/lib/python/os.py", "work/out.txt")
        .await
        .unwrap();
    guest.symlink("d", "work/l").await.unwrap();
    let kind = |path: &str| FilesystemError::Kind { path: path.into() };
    assert_eq!(
        guest.filesystem.read("out.txt", 0..u64::MAX),
        Err(kind("out.txt"))
    );
    assert_eq!(guest.filesystem.read("l/f", 0..u64::MAX), Err(kind("l/f")));
    assert_eq!(guest.filesystem.put("l/g", b"x".to_vec()), Err(kind("l/g")));
    assert_eq!(
        guest.filesystem.put("out.txt", b"x".to_vec()),
        Err(kind("out.txt"))
    );
    let found = guest
        .filesystem
        .collect(&globs(&["**"]), MANY, &mut MemoryHold::default())
        .await;
    let paths: Vec<_> = found
        .artifacts
        .iter()
        .map(|artifact| artifact.path.as_str())
        .collect();
    assert_eq!((paths, found.truncated), (vec!["d/f"], false));
}

#[tokio::test]
async fn artifacts_are_sorted_and_capped() {
    let mut guest = Guest::new();
    guest.mkdir("work/a").await.unwrap();
    for name in ["z.txt", "a/m.txt", "a.txt", "b.bin"] {
        guest.put(&format!("work/{name}"), &[1; 100]).await.unwrap();
    }
    guest
        .put("tmp/t.txt", b"not of the workspace")
        .await
        .unwrap();
    let collect = async |patterns: &[&str], files, bytes| {
        let found = guest
            .filesystem
            .collect(
                &globs(patterns),
                CollectLimits { files, bytes },
                &mut MemoryHold::default(),
            )
            .await;
        let paths: Vec<_> = found
            .artifacts
            .into_iter()
            .map(|artifact| artifact.path)
            .collect();
        (paths.join(" "), found.truncated)
    };
    assert_eq!(
        collect(&["**/*.txt"], 100, 1000).await,
        ("a.txt a/m.txt z.txt".into(), false)
    );
    assert_eq!(
        collect(&["*.bin"], 100, 1000).await,
        ("b.bin".into(), false)
    );
    assert_eq!(
        collect(&["**/*.txt"], 2, 1000).await,
        ("a.txt a/m.txt".into(), true)
    );
    assert_eq!(
        collect(&["**/*.txt"], 100, 299).await,
        ("a.txt a/m.txt".into(), true)
    );
}

#[tokio::test]
async fn the_workspace_may_be_everything() {
    let root = FilesystemSetup {
        workspace: Some("/".into()),
        ..setup()
    };
    let mut guest = Guest::with(root, LIMITS);
    assert_eq!(guest.list(".").await.unwrap(), ["tmp", "usr"]);
    guest.put("top.txt", b"x").await.unwrap();
    guest.put("tmp/t", b"x").await.unwrap();
    assert_eq!(
        guest.get("usr/lib/python/os.py").await,
        Ok(b"# os\n".to_vec())
    );
    assert_eq!(guest.rmdir("usr/lib/python").await, Err(ErrorCode::Busy));
    assert_eq!(
        guest.rename("usr/lib/python", "mine").await,
        Err(ErrorCode::Busy)
    );
    assert_eq!(
        guest.rename("top.txt", "usr/lib/python").await,
        Err(ErrorCode::Busy)
    );
    assert_eq!(guest.rmdir("usr/lib").await, Err(ErrorCode::NotEmpty));
    assert_eq!(
        code(&guest.create("usr/lib/python/x").await),
        Some(ErrorCode::ReadOnly)
    );
    assert_eq!(code(&guest.open("..").await), Some(ErrorCode::NotPermitted));
    assert_eq!(
        guest.filesystem.read("top.txt", 0..u64::MAX),
        Ok(b"x".to_vec())
    );
    assert!(guest.filesystem.remove("usr/lib/python").is_err());
    let found = guest
        .filesystem
        .collect(&globs(&["**"]), MANY, &mut MemoryHold::default())
        .await;
    assert_eq!(found.artifacts.len(), 2, "nothing of the archive");
}

#[test]
fn layouts_are_checked() {
    let archive = || Arc::new(Archive::index(archives::build(&[]).into()).unwrap());
    let check = |workspace: Option<&str>, archives: &[&str]| {
        let archives = archives
            .iter()
            .map(|path| ((*path).to_owned(), archive()))
            .collect();
        let workspace = workspace.map(str::to_owned);
        Layout::new(FilesystemSetup {
            workspace,
            temporary: true,
            devices: false,
            archives,
            mounts: Vec::new(),
        })
        .map(|_| ())
        .map_err(|error| error.to_string())
    };
    let nested =
        |inner: &str, outer: &str| Err(format!("mount `{inner}` lies inside mount `{outer}`"));
    let path = |path: &str| {
        Err(format!(
            "guest path `{path}` is not an absolute path without `.`, `..` and empty names"
        ))
    };
    assert_eq!(
        check(Some("/work"), &["/usr/lib", "/work/vendor", "/tmp/x/y"]),
        Ok(())
    );
    assert_eq!(check(Some("/"), &["/usr/lib", "/tmp/x/y"]), Ok(()));
    assert_eq!(check(Some("/tmp"), &["/tmp/data"]), Ok(()));
    assert_eq!(check(Some("/tmp/work"), &[]), nested("/tmp/work", "/tmp"));
    assert_eq!(
        check(Some("/lib/work"), &["/lib"]),
        nested("/lib/work", "/lib")
    );
    assert_eq!(check(None, &["/a", "/a/b"]), nested("/a/b", "/a"));
    assert_eq!(check(None, &["/a", "/a"]), nested("/a", "/a"));
    assert_eq!(check(Some("work"), &[]), path("work"));
    assert_eq!(check(None, &["/"]), path("/"));
    assert_eq!(check(None, &["/a/../b"]), path("/a/../b"));
    assert_eq!(check(None, &["/a//b"]), path("/a//b"));
    assert_eq!(check(None, &["/a/"]), path("/a/"));
}
