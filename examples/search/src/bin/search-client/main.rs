//! A client of the search Flow: indexes a folder, searches it, removes documents from it.

mod folder;
mod index;
mod show;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use client::Client;
use search::documents::{Found, Kept, Query, Reference};
use serde_json::json;

/// Indexes and searches text documents in a running search Flow.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// Where the Flow's gateway listens.
    #[arg(long, global = true, default_value = "grpc://localhost:51000")]
    address: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Indexes the text files in a folder; files indexed before are replaced
    Index(index::Options),
    /// Searches, and shows the best passages
    Search(SearchOptions),
    /// Removes documents
    Delete {
        /// Their files, or ids as `search` shows them
        #[arg(required = true)]
        documents: Vec<String>,
    },
}

#[derive(Debug, Args)]
struct SearchOptions {
    /// Words, "phrases", title:words, +must, -must not, AND, OR
    #[arg(required = true)]
    query: Vec<String>,
    /// How many passages to show
    #[arg(long, short = 'n', default_value_t = 5)]
    limit: usize,
    /// How many of the best passages to leave out
    #[arg(long, default_value_t = 0)]
    offset: usize,
    /// Find only what has all of the words
    #[arg(long)]
    all: bool,
    /// Take the query as words, whatever signs are in it
    #[arg(long)]
    words: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If nobody listens there is nobody to tell.
            let _unheard =
                writeln!(std::io::stderr(), "search-client: {}", show::printable(&sentence(&error)));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { address, command } = arguments;
    let client = Client::connect(&address)
        .await
        .context("the search Flow does not answer; is it running? (`cargo xtask up` starts it)")?;
    match command {
        Command::Index(options) => index::run(&client, options).await,
        Command::Search(options) => find(&client, &options).await,
        Command::Delete { documents } => delete(&client, &documents).await,
    }
}

/// An error with its causes; what an executor says stands for itself.
fn sentence(error: &anyhow::Error) -> String {
    match error.downcast_ref::<client::Error>() {
        Some(client::Error::Executor(failure)) => match failure.args.first() {
            Some(said) => said.to_string(),
            None => failure.to_string(),
        },
        _ => format!("{error:#}"),
    }
}

async fn find(client: &Client, options: &SearchOptions) -> anyhow::Result<()> {
    let query = Query { text: options.query.join(" "), ..Query::default() };
    let parameters = json!({
        "limit": options.limit,
        "offset": options.offset,
        "operator": if options.all { "and" } else { "or" },
        "syntax": if options.words { "words" } else { "query" },
    });
    let found = client.post("/search").inputs([query]).parameters(parameters).collect::<Found>().await?;
    let mut out = std::io::stdout().lock();
    for found in &found {
        show::found(&mut out, found, options.offset)?;
    }
    Ok(())
}

async fn delete(client: &Client, documents: &[String]) -> anyhow::Result<()> {
    let references: Vec<_> =
        documents.iter().map(|document| Reference { id: id_of(document).into() }).collect();
    let removed = client.post("/delete").inputs(references).in_order(true).collect::<Kept>().await?;
    let mut out = std::io::stdout().lock();
    for document in &removed {
        match document.passages {
            0 => writeln!(out, "not found: {}", show::printable(&document.id))?,
            passages => writeln!(out, "removed {}: {passages} passages", show::printable(&document.id))?,
        }
    }
    Ok(())
}

/// The id under which a file is indexed: its full path, however it is named on the command line.
fn id_of(document: &str) -> String {
    let path = Path::new(document);
    let path =
        path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| PathBuf::from(path));
    path.to_string_lossy().into_owned()
}
