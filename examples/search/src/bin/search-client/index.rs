//! Indexing a folder: files are read as fast as the Flow takes them, never faster.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use client::Client;
use futures_util::TryStreamExt as _;
use futures_util::stream::poll_fn;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use search::documents::{Document, Kept};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::folder::{Selection, Skipped};

/// What is indexed, and how fast.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The folder
    folder: PathBuf,
    /// The endings of the files to take
    #[arg(long, value_delimiter = ',', default_value = "md,markdown,txt")]
    endings: Vec<String>,
    /// Leave out files of more bytes
    #[arg(long, default_value_t = 4 << 20)]
    max_bytes: u64,
    /// How many documents go into a request; each request is on disk when it is answered
    #[arg(long, default_value_t = 32)]
    batch: usize,
    /// How many requests may be under way
    #[arg(long, default_value_t = 4)]
    in_flight: usize,
}

/// What has become of the files.
#[derive(Debug, Default)]
struct Tally {
    documents: u64,
    passages: u64,
    failed_requests: u64,
    first_failure: Option<client::ExecutorError>,
}

pub(crate) async fn run(client: &Client, options: Options) -> anyhow::Result<()> {
    // Ids are full paths, so that a folder has the same ones wherever it is indexed from.
    let folder =
        options.folder.canonicalize().with_context(|| format!("no folder {}", options.folder.display()))?;
    let selection = Selection { endings: options.endings, max_bytes: options.max_bytes };
    let mut skipped = Skipped::default();
    let files = selection.files(&folder, &mut skipped);
    let progress = progress(files.len() as u64)?;

    // The disk has a thread of its own. It waits when the Flow does: what is read and not yet sent is bounded.
    let (read, mut documents) = mpsc::channel(options.batch.max(1));
    let mut reader = JoinSet::new();
    let reading = progress.clone();
    reader.spawn_blocking(move || read_files(&selection, files, skipped, &reading, &read));

    let mut answers = client
        .post("/index")
        .input_stream(poll_fn(move |cx| documents.poll_recv(cx)))
        .request_size(options.batch)
        .prefetch(options.in_flight.max(1))
        .continue_on_error(true)
        .send::<Kept>();
    let mut tally = Tally::default();
    while let Some(answer) = answers.try_next().await? {
        if let Some(error) = answer.error() {
            tally.failed_requests += 1;
            tally.first_failure.get_or_insert(error);
            continue;
        }
        tally.documents += answer.documents.len() as u64;
        tally.passages += answer.documents.iter().map(|kept| kept.passages).sum::<u64>();
        progress.inc(answer.documents.len() as u64);
        progress.set_message(format!("{} passages", HumanCount(tally.passages)));
    }
    let read = reader.join_next().await.context("the files were not read")??;
    progress.finish_and_clear();
    report(&tally, &read, progress.elapsed())?;
    match tally.first_failure {
        None => Ok(()),
        Some(failure) => {
            Err(anyhow::Error::new(failure).context(format!("{} requests failed", tally.failed_requests)))
        }
    }
}

/// What was read.
#[derive(Debug)]
struct Read {
    bytes: u64,
    skipped: Skipped,
}

fn read_files(
    selection: &Selection,
    files: Vec<PathBuf>,
    mut skipped: Skipped,
    progress: &ProgressBar,
    documents: &mpsc::Sender<Document>,
) -> Read {
    let mut bytes = 0;
    for file in files {
        match selection.read(&file) {
            Ok(document) => {
                bytes += document.text.as_ref().map_or(0, |text| text.len() as u64);
                if documents.blocking_send(document).is_err() {
                    // Nobody wants more; why, the answers tell.
                    break;
                }
            }
            Err(reason) => {
                skipped.count(reason);
                progress.inc(1);
            }
        }
    }
    Read { bytes, skipped }
}

fn progress(files: u64) -> anyhow::Result<ProgressBar> {
    let style = "{bar:40.cyan/dim} {human_pos}/{human_len} files  {per_sec}  {msg}  {eta} left";
    let progress = ProgressBar::new(files).with_style(ProgressStyle::with_template(style)?);
    progress.enable_steady_tick(Duration::from_millis(200));
    Ok(progress)
}

fn report(tally: &Tally, read: &Read, elapsed: Duration) -> anyhow::Result<()> {
    let seconds = elapsed.as_secs_f64().max(0.001);
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "indexed {} documents ({}) in {} passages, {:.1} s ({:.0} documents/s, {}/s)",
        HumanCount(tally.documents),
        HumanBytes(read.bytes),
        HumanCount(tally.passages),
        seconds,
        tally.documents as f64 / seconds,
        HumanBytes((read.bytes as f64 / seconds) as u64),
    )?;
    writeln!(out, "skipped: {}", read.skipped)?;
    Ok(())
}
