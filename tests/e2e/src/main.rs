//! The Rust client's part of `cargo xtask e2e`: asks a running search Flow for what it must answer.
#![expect(clippy::print_stdout, reason = "it reports to the one who runs it")]

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::{Parser, Subcommand};
use client::{Client, Settings};
use search::documents::{Document, Found, Kept, Query};
use tokio::time::Instant;

#[derive(Debug, Parser)]
struct Arguments {
    /// Where the Flow's gateway listens.
    #[arg(long)]
    address: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Indexes documents.
    Fill(Which),
    /// Finds each of them; waits for a Flow that cannot answer yet.
    Find(Which),
    /// Indexes documents again and searches for them without a pause until the file is there, so that every executor
    /// has work; every search must find what it should.
    Load {
        /// The file that ends it.
        #[arg(long)]
        until: PathBuf,
    },
}

/// Which documents.
#[derive(Debug, Clone, Copy, clap::Args)]
struct Which {
    /// The number of the first.
    #[arg(long, default_value_t = 0)]
    from: usize,
}

impl Which {
    fn numbers(self) -> std::ops::Range<usize> {
        self.from..self.from + N_DOCUMENTS
    }
}

/// Enough for several requests.
const N_DOCUMENTS: usize = 200;

/// How long a Flow may take to answer again.
const PATIENCE: Duration = Duration::from_secs(60);

/// What happens may be over before much is asked.
const FEWEST_ROUNDS: usize = 50;

/// How long a load may go on: as long as rollouts take.
const LONGEST_LOAD: Duration = Duration::from_secs(240);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let Arguments { address, command } = Arguments::parse();
    let client = Client::new(&address, Settings::default())?;
    match command {
        Command::Fill(which) => fill(&client, which).await,
        Command::Find(which) => {
            let end = Instant::now() + PATIENCE;
            while let Err(error) = find(&client, which).await {
                ensure!(Instant::now() < end, error.context("still not after a minute"));
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            println!("found all {N_DOCUMENTS} documents");
            Ok(())
        }
        Command::Load { until } => load(&client, &until).await,
    }
}

/// A word that only document `n` has.
fn word(n: usize) -> String {
    format!("word{n:04}x")
}

async fn fill(client: &Client, which: Which) -> anyhow::Result<()> {
    let documents = which.numbers().map(document);
    let kept =
        client.post("/index").inputs(documents).request_size(10).in_order(true).collect::<Kept>().await?;
    ensure!(kept.len() == N_DOCUMENTS, "{} documents were kept", kept.len());
    for (n, kept) in which.numbers().zip(&kept) {
        check_kept(n, kept)?;
    }
    println!("indexed {N_DOCUMENTS} documents");
    Ok(())
}

fn document(n: usize) -> Document {
    Document {
        id: format!("e2e-{n}").into(),
        text: Some(format!("# Document {n}\n\nThis one alone holds {}.", word(n))),
        ..Document::default()
    }
}

fn check_kept(n: usize, kept: &Kept) -> anyhow::Result<()> {
    ensure!(kept.id == *format!("e2e-{n}"), "`{}` stands where document {n} should", kept.id);
    ensure!(kept.passages == 1, "document {n} has {} passages", kept.passages);
    Ok(())
}

async fn find(client: &Client, which: Which) -> anyhow::Result<()> {
    let queries = which.numbers().map(|n| Query { text: word(n), ..Query::default() });
    let found =
        client.post("/search").inputs(queries).request_size(20).in_order(true).collect::<Found>().await?;
    ensure!(found.len() == N_DOCUMENTS, "{} answers for {N_DOCUMENTS} queries", found.len());
    for (n, found) in which.numbers().zip(&found) {
        check(n, found)?;
    }
    Ok(())
}

fn check(n: usize, found: &Found) -> anyhow::Result<()> {
    let [only] = &found.matches[..] else {
        bail!("{} passages hold the word of document {n}", found.matches.len());
    };
    ensure!(only.document == format!("e2e-{n}"), "`{}` was found for document {n}", only.document);
    ensure!(only.highlight.contains(&format!("<mark>{}</mark>", word(n))), "`{}`", only.highlight);
    Ok(())
}

async fn load(client: &Client, until: &std::path::Path) -> anyhow::Result<()> {
    let end = Instant::now() + LONGEST_LOAD;
    let mut rounds = 0;
    while !until.exists() || rounds < FEWEST_ROUNDS {
        ensure!(Instant::now() < end, "{} did not come", until.display());
        round(client, rounds % N_DOCUMENTS).await.with_context(|| format!("round {rounds} failed"))?;
        rounds += 1;
    }
    println!("{rounds} documents indexed and searched for, no request failed");
    Ok(())
}

/// One document is indexed again, in place of itself, and found.
async fn round(client: &Client, n: usize) -> anyhow::Result<()> {
    let kept = client.post("/index").inputs([document(n)]).collect::<Kept>().await?;
    check_kept(n, kept.first().context("nothing was kept")?)?;
    let query = Query { text: word(n), ..Query::default() };
    let found = client.post("/search").inputs([query]).collect::<Found>().await?;
    check(n, found.first().context("nothing was found")?)
}
