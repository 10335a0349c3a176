//! Tests of chunked content: is it byte for byte what a plain vector would be?

use super::super::content::Content;
use super::*;

/// A small pseudorandom generator, so that a failure is reproducible.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[test]
fn content_equals_a_vector() {
    for seed in 0..40 {
        let mut numbers = Numbers(seed);
        let start = vec![9; usize::try_from(numbers.below(100_000)).unwrap()];
        let mut content = if seed % 2 == 0 {
            Content::default()
        } else {
            Content::shared(start.clone().into())
        };
        let mut model = if seed % 2 == 0 { Vec::new() } else { start };
        for step in 0..60u8 {
            if numbers.below(4) == 0 {
                let size = numbers.below(300_000);
                content.set_size(size);
                model.resize(usize::try_from(size).unwrap(), 0);
            } else {
                let offset = usize::try_from(numbers.below(300_000)).unwrap();
                let data = vec![step + 1; usize::try_from(numbers.below(70_000)).unwrap()];
                content.write(offset as u64, &data);
                if !data.is_empty() {
                    model.resize(model.len().max(offset + data.len()), 0);
                    model[offset..offset + data.len()].copy_from_slice(&data);
                }
            }
            assert_eq!(
                content.size(),
                model.len() as u64,
                "seed {seed} step {step}"
            );
            let from = numbers.below(300_000);
            let wanted = &model[usize::try_from(from).unwrap().min(model.len())..];
            assert_eq!(
                content.read(from, usize::MAX),
                wanted,
                "seed {seed} step {step}"
            );
        }
    }
}

#[tokio::test]
async fn streams_read_and_write() {
    let mut guest = Guest::new();
    let file = guest.create("work/f").await.unwrap();
    let output = plain(guest.view().write_via_stream(handle(file), 5)).unwrap();
    let stream = guest.table.get_mut(&output).unwrap();
    assert!(stream.check_write().unwrap() > 4096);
    stream.write("hello".into()).unwrap();
    stream
        .blocking_write_and_flush(" world".into())
        .await
        .unwrap();
    let append = plain(guest.view().append_via_stream(handle(file))).unwrap();
    guest
        .table
        .get_mut(&append)
        .unwrap()
        .write("!".into())
        .unwrap();
    assert_eq!(
        guest.get("work/f").await,
        Ok(b"\0\0\0\0\0hello world!".to_vec())
    );

    let input = plain(guest.view().read_via_stream(handle(file), 10)).unwrap();
    let stream = guest.table.get_mut(&input).unwrap();
    assert_eq!(stream.read(0).unwrap(), "");
    assert_eq!(stream.blocking_read(3).await.unwrap(), " wo");
    assert_eq!(stream.read(usize::MAX).unwrap(), "rld!");
    assert!(matches!(stream.read(1), Err(StreamError::Closed)));
    let directory = guest.open("work").await.unwrap();
    assert_eq!(
        code(&plain(guest.view().read_via_stream(handle(directory), 0))),
        Some(ErrorCode::IsDirectory)
    );
    let (bytes, at_end) = plain(guest.view().read(handle(file), 10, 1 << 50).await).unwrap();
    assert_eq!((bytes.len(), at_end), (0, true));
}

#[tokio::test]
async fn times_come_from_the_clock_or_the_guest() {
    use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
    let mut guest = Guest::new();
    guest.put("work/f", b"x").await.unwrap();
    let stat = guest.stat("work/f").await.unwrap();
    assert_eq!(stat.data_modification_timestamp.unwrap().seconds, 1000);
    let root = guest.root;
    let mut set = async |nanoseconds: u32| {
        let time = NewTimestamp::Timestamp(Datetime {
            seconds: 7,
            nanoseconds,
        });
        let mut view = guest.view();
        let set = view.set_times_at(
            handle(root),
            PathFlags::empty(),
            "work/f".into(),
            NewTimestamp::NoChange,
            time,
        );
        plain(set.await)
    };
    assert_eq!(set(1_000_000_000).await, Err(ErrorCode::Invalid));
    assert_eq!(set(999_999_999).await, Ok(()));
    let stat = guest.stat("work/f").await.unwrap();
    let modified = stat.data_modification_timestamp.unwrap();
    assert_eq!((modified.seconds, modified.nanoseconds), (7, 999_999_999));
    assert_eq!(stat.data_access_timestamp.unwrap().seconds, 1000);
}
