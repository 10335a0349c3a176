//! Protocol of the compiler process: how do a sandbox and its compiler understand each other?
//!
//! The task is in the arguments, the program goes over standard input after its length, and the
//! answer comes back over standard output: a header, then machine code or a message.

use crate::engine::Metering;

/// The settings and limits of a compilation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) metering: Metering,
    pub(super) stack: u64,
    pub(super) memory: u64,
    pub(super) cpu_seconds: u64,
    pub(super) parent: u32,
}

/// The reason why a program was not compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    TooLarge(String),
    Invalid(String),
}

/// The answer of a compiler.
pub(super) enum Answer {
    Code(Vec<u8>),
    Refused(Refusal),
}

impl Task {
    pub(super) fn to_arguments(self) -> [String; 5] {
        let Self {
            metering,
            stack,
            memory,
            cpu_seconds,
            parent,
        } = self;
        [
            metering.name().to_owned(),
            stack.to_string(),
            memory.to_string(),
            cpu_seconds.to_string(),
            parent.to_string(),
        ]
    }

    pub(super) fn from_arguments(arguments: &[String]) -> Result<Self, String> {
        let wrong = || {
            "this is no command for people: a sandbox starts it, with arguments of its own"
                .to_owned()
        };
        let [metering, stack, memory, cpu_seconds, parent] = arguments else {
            return Err(wrong());
        };
        let metering = [Metering::Fuel, Metering::Epoch, Metering::Unmetered]
            .into_iter()
            .find(|known| known.name() == metering);
        let number = |text: &String| text.parse::<u64>().map_err(|_| wrong());
        Ok(Self {
            metering: metering.ok_or_else(wrong)?,
            stack: number(stack)?,
            memory: number(memory)?,
            cpu_seconds: number(cpu_seconds)?,
            parent: parent.parse().map_err(|_| wrong())?,
        })
    }
}

impl Answer {
    pub(super) fn kind(&self) -> u8 {
        match self {
            Self::Code(_) => AnswerHeader::CODE,
            Self::Refused(Refusal::TooLarge(_)) => AnswerHeader::TOO_LARGE,
            Self::Refused(Refusal::Invalid(_)) => AnswerHeader::INVALID,
        }
    }
}

/// The header before the machine code or the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AnswerHeader {
    pub(super) kind: u8,
    pub(super) gaps: u8,
    /// CPU time in nanoseconds.
    pub(super) cpu: u64,
    pub(super) length: u64,
}

impl AnswerHeader {
    pub(super) const CODE: u8 = 0;
    pub(super) const TOO_LARGE: u8 = 1;
    pub(super) const INVALID: u8 = 2;

    const MAGIC: [u8; 6] = *b"gbxcm1";
    pub(super) const BYTES: usize = 24;

    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let parts = Self::MAGIC
            .into_iter()
            .chain([self.kind, self.gaps])
            .chain(self.cpu.to_le_bytes())
            .chain(self.length.to_le_bytes());
        bytes
            .iter_mut()
            .zip(parts)
            .for_each(|(place, byte)| *place = byte);
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let rest = bytes.strip_prefix(&Self::MAGIC)?;
        let ([kind, gaps], rest) = rest.split_first_chunk::<2>()?;
        let (cpu, rest) = rest.split_first_chunk()?;
        let length = rest.first_chunk()?;
        (*kind <= Self::INVALID).then(|| Self {
            kind: *kind,
            gaps: *gaps,
            cpu: u64::from_le_bytes(*cpu),
            length: u64::from_le_bytes(*length),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let header = AnswerHeader {
            kind: AnswerHeader::TOO_LARGE,
            gaps: 5,
            cpu: 12_345_678_901,
            length: 42,
        };
        let bytes = header.to_bytes();
        assert_eq!(AnswerHeader::from_bytes(&bytes), Some(header));
        for (position, value) in [(0, 0), (6, 9)] {
            let mut wrong = bytes;
            wrong[position] = value;
            assert_eq!(AnswerHeader::from_bytes(&wrong), None);
        }
    }

    #[test]
    fn arguments_are_read_as_they_were_written() {
        let task = Task {
            metering: Metering::Epoch,
            stack: 1 << 25,
            memory: 1 << 28,
            cpu_seconds: 7,
            parent: 99,
        };
        assert_eq!(Task::from_arguments(&task.to_arguments()), Ok(task));
        assert!(Task::from_arguments(&["fuel".to_owned()]).is_err());
    }
}
