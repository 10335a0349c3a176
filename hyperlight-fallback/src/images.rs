//! Container images: which ones do runs start from, and how are they built?
//!
//! They are built from the Dockerfiles of `images/`. Their base image is pulled from a registry if
//! one can be reached; else it is bootstrapped from the distribution's packages by `mmdebstrap`,
//! which verifies their signatures by the distribution's keys.

use crate::docker::open;
use bollard::models::ImageInspect;
use bollard::query_parameters::{BuildImageOptions, CreateImageOptions, RemoveImageOptions};
use bollard::{Docker, body_full, body_try_stream};
use futures_util::stream::unfold;
use futures_util::{Stream, StreamExt as _};
use glovebox_host::program::Program;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdout};
use tokio::task::JoinHandle;

/// Bytes of one chunk of an image upload.
const UPLOAD_CHUNK_BYTES: usize = 1 << 20;

/// The distribution release of the images: the first one whose Python is the minor version that the
/// guest runs.
const DEBIAN_RELEASE: &str = "forky";

/// The base image of that distribution in the engine's default registry.
const REGISTRY_BASE_IMAGE: &str = "debian:forky-slim";

/// Timeout of pulling the base image.
const PULL_TIMEOUT: Duration = Duration::from_secs(120);

/// Timeout of a request to the engine that makes an image: the image is uploaded while its packages
/// are fetched and unpacked.
const IMPORT_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// The glibc version of that distribution, with which packages with native code have to be
/// compatible.
pub(crate) const LIBC: &str = "2.43";

/// Options of `mmdebstrap`.
const BOOTSTRAP_OPTIONS: [&str; 9] = [
    "--variant=essential",
    "--quiet",
    // The signed index of a release in preparation expires after a week, and mirrors may lag behind
    // that. Its signature is verified all the same.
    "--aptopt=Acquire::Check-Valid-Until \"false\"",
    // A quarter of each image that no program reads, and that the registry's image lacks as well.
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/info/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-include=/usr/share/locale/locale.alias",
];

/// An image definition.
pub(crate) struct Image {
    /// The languages of its programs. The image is listed and built by the first one.
    pub(crate) languages: &'static [&'static str],
    pub(crate) name: &'static str,
    dockerfile: &'static str,
    /// The interpreter's version, and the directory from which it imports third-party packages.
    pub(crate) interpreter: Option<(&'static str, &'static str)>,
}

/// The image label that records the recipe.
const LABEL_RECIPE: &str = "glovebox.recipe";

impl Image {
    /// Returns the language by which it is listed and built.
    pub(crate) fn language(&self) -> &'static str {
        self.languages.first().copied().unwrap_or_default()
    }

    /// Returns the recipe: the digest of its Dockerfile.
    fn recipe(&self) -> String {
        Sha256::digest(self.dockerfile)
            .iter()
            .fold(format!("{DEBIAN_RELEASE}:"), |text, byte| {
                format!("{text}{byte:02x}")
            })
    }

    /// Returns the packages that its Dockerfile installs.
    fn packages(&self) -> impl Iterator<Item = &'static str> {
        let list = self
            .dockerfile
            .lines()
            .find_map(|line| line.strip_prefix("ARG PACKAGES="));
        list.unwrap_or_default()
            .trim_matches('"')
            .split_whitespace()
    }

    /// Returns whether an existing image was built from this version's recipe.
    pub(crate) fn is_current(&self, found: &ImageInspect) -> bool {
        let labels = found
            .config
            .as_ref()
            .and_then(|config| config.labels.as_ref());
        labels
            .and_then(|labels| labels.get(LABEL_RECIPE))
            .is_some_and(|recipe| *recipe == self.recipe())
    }
}

/// All images, by their language.
pub(crate) const IMAGES: [Image; 3] = [
    Image {
        languages: &["shell"],
        name: "glovebox/shell:latest",
        dockerfile: include_str!("../images/shell.Dockerfile"),
        interpreter: None,
    },
    Image {
        languages: &["python"],
        name: "glovebox/python:latest",
        dockerfile: include_str!("../images/python.Dockerfile"),
        interpreter: Some(("3.14", "/usr/local/lib/python3.14/dist-packages")),
    },
    Image {
        languages: &["javascript", "typescript"],
        name: "glovebox/node:latest",
        dockerfile: include_str!("../images/node.Dockerfile"),
        interpreter: Some(("24", "/node_modules")),
    },
];

/// The image for a language.
pub(crate) fn image_of(language: &str) -> Option<&'static Image> {
    IMAGES
        .iter()
        .find(|image| image.languages.contains(&language))
}

/// The reason why an image could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no engine to build it with.
    #[error("{0}")]
    Engine(String),
    /// There is no image for that language.
    #[error("there is no image for `{0}`; there are shell, python, javascript and typescript")]
    Unknown(String),
    /// The tool that builds it is missing or failed.
    #[error(
        "`mmdebstrap` cannot make the image `{image}`: {reason}; it comes with `apt-get install mmdebstrap` and has to run as root"
    )]
    Tool {
        /// The image.
        image: &'static str,
        /// The message of the tool or the system.
        reason: String,
    },
    /// The engine failed to build it.
    #[error("the engine did not make the image `{image}`: {reason}")]
    Refused {
        /// The image.
        image: &'static str,
        /// The message of the engine.
        reason: String,
    },
}

/// An image that exists in the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundImage {
    /// The language of its programs.
    pub language: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its digest, by which a policy pins it.
    pub digest: String,
    /// True if it was built from this version's recipe.
    pub is_current: bool,
}

/// Lists the images that exist in the engine.
///
/// # Errors
///
/// If there is no engine.
pub async fn list_images() -> Result<Vec<FoundImage>, BuildError> {
    let docker = connected().await?;
    let mut found = Vec::new();
    for image in &IMAGES {
        if let Ok(inspected) = docker.inspect_image(image.name).await {
            let is_current = image.is_current(&inspected);
            let digest = inspected.id.unwrap_or_default();
            found.push(FoundImage {
                language: image.language(),
                name: image.name,
                digest,
                is_current,
            });
        }
    }
    Ok(found)
}

async fn connected() -> Result<Docker, BuildError> {
    let docker = open().map_err(BuildError::Engine)?;
    docker
        .negotiate_version()
        .await
        .map_err(|error| BuildError::Engine(error.to_string()))
}

/// The source of an image's base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageBase {
    /// A registry if one can be reached, else packages.
    Any,
    /// The distribution's packages, on this machine.
    Packages,
}

/// Builds the images of these languages, or all of them if none is named, and reports each to
/// `progress`.
///
/// # Errors
///
/// The first image that could not be built.
pub async fn build_images(
    wanted: &[String],
    base: ImageBase,
    mut progress: impl FnMut(&str),
) -> Result<(), BuildError> {
    if let Some(unknown) = wanted.iter().find(|language| image_of(language).is_none()) {
        return Err(BuildError::Unknown(unknown.clone()));
    }
    let docker = connected().await?.with_timeout(IMPORT_TIMEOUT);
    let mut registry = None;
    if base == ImageBase::Any {
        match pull(&docker).await {
            Ok(()) => registry = Some(REGISTRY_BASE_IMAGE),
            Err(reason) => progress(&format!(
                "no registry hands out `{REGISTRY_BASE_IMAGE}` ({reason}); it is made of packages instead"
            )),
        }
    }
    for image in IMAGES.iter().filter(|image| {
        let is_of = |language: &String| image.languages.contains(&language.as_str());
        wanted.is_empty() || wanted.iter().any(is_of)
    }) {
        if let Some(base) = registry {
            progress(&format!("making `{}` from `{base}`", image.name));
            match build(&docker, image, base, "default").await {
                Ok(()) => continue,
                // The host may reach its package mirror where containers of its engine cannot.
                Err(reason) => progress(&format!(
                    "that failed ({reason}); its base is made of packages instead"
                )),
            }
        }
        progress(&format!(
            "making `{}` from packages of Debian {DEBIAN_RELEASE} (about a minute)",
            image.name
        ));
        let base = import(&docker, image).await?;
        let built = build(&docker, image, &base, "none").await;
        // The image references its layers, which stay as long as the image does.
        let _ = docker
            .remove_image(&base, None::<RemoveImageOptions>, None)
            .await;
        built.map_err(|reason| BuildError::Refused {
            image: image.name,
            reason,
        })?;
    }
    Ok(())
}

/// Pulls the base image.
async fn pull(docker: &Docker) -> Result<(), String> {
    if docker.inspect_image(REGISTRY_BASE_IMAGE).await.is_ok() {
        return Ok(());
    }
    let (name, tag) = REGISTRY_BASE_IMAGE
        .split_once(':')
        .unwrap_or((REGISTRY_BASE_IMAGE, "latest"));
    let options = CreateImageOptions {
        from_image: Some(name.to_owned()),
        tag: Some(tag.to_owned()),
        ..CreateImageOptions::default()
    };
    let pulled = finished(docker.create_image(Some(options), None, None), |info| {
        info.error_detail.and_then(|error| error.message)
    });
    match tokio::time::timeout(PULL_TIMEOUT, pulled).await {
        Ok(pulled) => pulled,
        Err(_) => Err(format!("no answer within {} s", PULL_TIMEOUT.as_secs())),
    }
}

/// Builds the image from its Dockerfile.
async fn build(docker: &Docker, image: &Image, base: &str, network: &str) -> Result<(), String> {
    let mut context = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(image.dockerfile.len() as u64);
    header.set_mode(0o644);
    context
        .append_data(&mut header, "Dockerfile", image.dockerfile.as_bytes())
        .map_err(|error| error.to_string())?;
    let context = context.into_inner().map_err(|error| error.to_string())?;
    let options = BuildImageOptions {
        dockerfile: "Dockerfile".to_owned(),
        t: Some(image.name.to_owned()),
        buildargs: Some(HashMap::from([("BASE".to_owned(), base.to_owned())])),
        labels: Some(HashMap::from([(LABEL_RECIPE.to_owned(), image.recipe())])),
        networkmode: Some(network.to_owned()),
        rm: true,
        forcerm: true,
        // Another base image may have the same name.
        nocache: true,
        ..BuildImageOptions::default()
    };
    finished(
        docker.build_image(options, None, Some(body_full(context.into()))),
        |info| info.error_detail.and_then(|error| error.message),
    )
    .await
}

/// Drains a progress stream of the engine until it ends or reports the first error.
async fn finished<T>(
    steps: impl Stream<Item = Result<T, bollard::errors::Error>>,
    error: impl Fn(T) -> Option<String>,
) -> Result<(), String> {
    let mut steps = std::pin::pin!(steps);
    while let Some(step) = steps.next().await {
        if let Some(error) = error(step.map_err(|error| error.to_string())?) {
            return Err(error);
        }
    }
    Ok(())
}

/// Bootstraps the base image from the packages that the Dockerfile names, and returns its name.
async fn import(docker: &Docker, image: &Image) -> Result<String, BuildError> {
    let tool_error = |reason: String| BuildError::Tool {
        image: image.name,
        reason,
    };
    let mut bootstrap = Bootstrap::start(image).map_err(tool_error)?;
    let archive = bootstrap
        .archive
        .take()
        .ok_or_else(|| tool_error("it has no output".to_owned()))?;
    let repository = image
        .name
        .split_once(':')
        .map_or(image.name, |(repository, _)| repository);
    let base = format!("{repository}:base");
    let options = CreateImageOptions {
        from_src: Some("-".to_owned()),
        // Name and tag together: old versions of Podman ignore a separate tag.
        repo: Some(base.clone()),
        ..CreateImageOptions::default()
    };
    let steps = docker.create_image(Some(options), Some(body_try_stream(chunks(archive))), None);
    let imported = finished(steps, |info| {
        info.error_detail.and_then(|error| error.message)
    })
    .await;
    if let Err(reason) = bootstrap.finish().await {
        let _ = docker
            .remove_image(&base, None::<RemoveImageOptions>, None)
            .await;
        return Err(tool_error(reason));
    }
    imported.map_err(|reason| BuildError::Refused {
        image: image.name,
        reason,
    })?;
    Ok(base)
}

/// A running `mmdebstrap`.
struct Bootstrap {
    child: Child,
    /// The archive of the base image.
    archive: Option<ChildStdout>,
    /// Standard error, read by a task so that it never blocks the child.
    messages: JoinHandle<String>,
}

impl Bootstrap {
    fn start(image: &Image) -> Result<Self, String> {
        let packages = image.packages().collect::<Vec<_>>().join(",");
        let mut start = Program::find("mmdebstrap")
            .map_err(|error| error.to_string())?
            .start();
        start
            .args(BOOTSTRAP_OPTIONS)
            .args(["--include", &packages, DEBIAN_RELEASE, "-"])
            .network();
        let mut child = start
            .tokio()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let archive = child.stdout.take();
        let errors = child.stderr.take();
        let messages = tokio::spawn(async move {
            let mut text = String::new();
            if let Some(mut errors) = errors {
                let _ = errors.read_to_string(&mut text).await;
            }
            text
        });
        Ok(Self {
            child,
            archive,
            messages,
        })
    }

    /// Waits for its end; the error is its last message.
    async fn finish(mut self) -> Result<(), String> {
        let status = self.child.wait().await.map_err(|error| error.to_string())?;
        if status.success() {
            return Ok(());
        }
        let messages = self.messages.await.unwrap_or_default();
        let last = messages.lines().rev().find(|line| !line.trim().is_empty());
        Err(last.unwrap_or("it failed without a message").to_owned())
    }
}

/// Reads the archive in chunks for an upload.
fn chunks(archive: ChildStdout) -> impl Stream<Item = std::io::Result<bytes::Bytes>> + Send {
    unfold(archive, |mut archive| async move {
        let mut chunk = Vec::with_capacity(UPLOAD_CHUNK_BYTES);
        match (&mut archive)
            .take(UPLOAD_CHUNK_BYTES as u64)
            .read_to_end(&mut chunk)
            .await
        {
            Ok(0) => None,
            Ok(_) => Some((Ok(bytes::Bytes::from(chunk)), archive)),
            Err(error) => Some((Err(error), archive)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dockerfile_names_its_packages() {
        for image in &IMAGES {
            assert!(
                image.packages().any(|package| package == "socat"),
                "{}",
                image.name
            );
            assert!(
                image
                    .dockerfile
                    .contains(&format!("ARG BASE={REGISTRY_BASE_IMAGE}\n")),
                "{}",
                image.name
            );
            assert_eq!(image.recipe().len(), DEBIAN_RELEASE.len() + 1 + 64);
        }
    }
}
