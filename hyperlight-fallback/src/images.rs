//! Which images do containers start from, and how are they made?
//!
//! From the distribution's own packages, by `mmdebstrap`: no registry of images is needed, and the packages are verified by the
//! distribution's keys.

use crate::engine::open;
use bollard::models::ImageInspect;
use bollard::query_parameters::{CreateImageOptions, RemoveImageOptions, TagImageOptions};
use bollard::{Docker, body_try_stream};
use futures_util::StreamExt as _;
use futures_util::stream::unfold;
use std::process::Stdio;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

/// Bytes of an image that are sent at once.
const PIECE: usize = 1 << 20;

/// The tag of an image that is not whole yet.
const UNFINISHED: &str = "unfinished";

/// The distribution that images are made of.
const SUITE: &str = "bookworm";

/// The version of the C library in that distribution, which packages with native code have to fit.
pub(crate) const LIBC: &str = "2.36";

/// One image.
pub(crate) struct Image {
    pub(crate) language: &'static str,
    pub(crate) name: &'static str,
    /// Packages besides the essential ones, with commas.
    packages: &'static str,
    /// The interpreter's version, and where it looks for packages of others.
    pub(crate) interpreter: Option<(&'static str, &'static str)>,
}

/// The label of an image that says what it was made of.
const LABEL_RECIPE: &str = "glovebox.recipe";

impl Image {
    /// What it is made of.
    fn recipe(&self) -> String {
        format!("{SUITE}:{}", self.packages)
    }

    /// Whether an image of its name was made of what this version makes it of.
    pub(crate) fn is_current(&self, found: &ImageInspect) -> bool {
        let labels = found.config.as_ref().and_then(|config| config.labels.as_ref());
        labels.and_then(|labels| labels.get(LABEL_RECIPE)).is_some_and(|recipe| *recipe == self.recipe())
    }
}

/// All images, by the language that they are for.
pub(crate) const IMAGES: [Image; 3] = [
    Image { language: "shell", name: "glovebox/shell:latest", packages: "ca-certificates,curl,jq,passwd,socat", interpreter: None },
    Image {
        language: "python",
        name: "glovebox/python:latest",
        // What wheels expect of every system.
        packages: "ca-certificates,libgomp1,libstdc++6,python3,socat,zlib1g",
        interpreter: Some(("3.11", "/usr/local/lib/python3.11/dist-packages")),
    },
    Image {
        language: "javascript",
        name: "glovebox/node:latest",
        packages: "ca-certificates,nodejs,socat",
        interpreter: Some(("18", "/node_modules")),
    },
];

/// The image for a language.
pub(crate) fn image_of(language: &str) -> Option<&'static Image> {
    IMAGES.iter().find(|image| image.language == language)
}

/// Why an image could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no engine to make it for.
    #[error("{0}")]
    Engine(String),
    /// There is no image for that language.
    #[error("there is no image for `{0}`; there are shell, python and javascript")]
    Unknown(String),
    /// The tool that makes it is missing or failed.
    #[error("`mmdebstrap` cannot make the image `{image}`: {reason}; it comes with `apt-get install mmdebstrap` and has to run as root")]
    Tool {
        /// The image.
        image: &'static str,
        /// What the tool or the system says.
        reason: String,
    },
    /// The engine did not take it.
    #[error("the engine did not take the image `{image}`: {source}")]
    Import {
        /// The image.
        image: &'static str,
        /// What the engine says.
        source: bollard::errors::Error,
    },
}

/// An image that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundImage {
    /// The language that it is for.
    pub language: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its digest, by which a policy pins it.
    pub digest: String,
    /// Whether this version would make it of the same.
    pub is_current: bool,
}

/// The images that are there.
///
/// # Errors
///
/// Where there is no engine to ask.
pub async fn list_images() -> Result<Vec<FoundImage>, BuildError> {
    let docker = connected().await?;
    let mut found = Vec::new();
    for image in &IMAGES {
        if let Ok(inspected) = docker.inspect_image(image.name).await {
            let is_current = image.is_current(&inspected);
            let digest = inspected.id.unwrap_or_default();
            found.push(FoundImage { language: image.language, name: image.name, digest, is_current });
        }
    }
    Ok(found)
}

async fn connected() -> Result<Docker, BuildError> {
    let docker = open().map_err(BuildError::Engine)?;
    docker.negotiate_version().await.map_err(|error| BuildError::Engine(error.to_string()))
}

/// Makes the images of these languages, or all of them where none is named. `progress` is told what is being made.
///
/// # Errors
///
/// The first image that could not be made.
pub async fn build_images(wanted: &[String], mut progress: impl FnMut(&str)) -> Result<(), BuildError> {
    if let Some(unknown) = wanted.iter().find(|language| image_of(language).is_none()) {
        return Err(BuildError::Unknown(unknown.clone()));
    }
    let docker = connected().await?;
    for image in IMAGES.iter().filter(|image| wanted.is_empty() || wanted.iter().any(|language| language == image.language)) {
        progress(&format!("making `{}` from packages of Debian {SUITE} (about a minute)", image.name));
        let tool = |reason: String| BuildError::Tool { image: image.name, reason };
        let mut child = Command::new("mmdebstrap")
            .args(["--variant=essential", "--quiet", "--include", image.packages, SUITE, "-"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| tool(error.to_string()))?;
        let output = child.stdout.take().ok_or_else(|| tool("it has no output".to_owned()))?;
        let mut errors = child.stderr.take().ok_or_else(|| tool("it has no output".to_owned()))?;
        let complaints = tokio::spawn(async move {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text).await;
            text
        });
        let pieces = unfold(output, |mut output| async move {
            let mut piece = Vec::with_capacity(PIECE);
            match (&mut output).take(PIECE as u64).read_to_end(&mut piece).await {
                Ok(0) => None,
                Ok(_) => Some((Ok(bytes::Bytes::from(piece)), output)),
                Err(error) => Some((Err(error), output)),
            }
        });
        let (repository, tag) = image.name.split_once(':').unwrap_or((image.name, "latest"));
        // Under another name until it is whole, so that a failure leaves the image that is there.
        let unfinished = format!("{repository}:{UNFINISHED}");
        let options = CreateImageOptions {
            from_src: Some("-".to_owned()),
            repo: Some(repository.to_owned()),
            tag: Some(UNFINISHED.to_owned()),
            changes: vec![format!("LABEL {LABEL_RECIPE}=\"{}\"", image.recipe())],
            ..CreateImageOptions::default()
        };
        let mut import = docker.create_image(Some(options), Some(body_try_stream(pieces)), None);
        let mut imported = Ok(());
        while let Some(step) = import.next().await {
            imported = imported.and(step.map(drop));
        }
        let status = child.wait().await.map_err(|error| tool(error.to_string()))?;
        if !status.success() {
            let complaints = complaints.await.unwrap_or_default();
            let last = complaints.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it failed without a word").to_owned();
            let _ = docker.remove_image(&unfinished, None::<RemoveImageOptions>, None).await;
            return Err(tool(last));
        }
        let name = TagImageOptions { repo: Some(repository.to_owned()), tag: Some(tag.to_owned()) };
        let named = match imported {
            Ok(()) => docker.tag_image(&unfinished, Some(name)).await,
            Err(error) => Err(error),
        };
        named.map_err(|source| BuildError::Import { image: image.name, source })?;
        let _ = docker.remove_image(&unfinished, None::<RemoveImageOptions>, None).await;
    }
    Ok(())
}
