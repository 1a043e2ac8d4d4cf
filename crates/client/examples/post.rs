//! Sends texts to an endpoint and prints what comes back: `post grpc://localhost:12345 /search "a text" …`.

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use client::Client;
use docarray::documents::TextDoc;
use futures_util::TryStreamExt as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let answered = match &arguments[..] {
        [address, endpoint, texts @ ..] => post(address, endpoint, texts).await,
        _ => Err("usage: post ADDRESS ENDPOINT [TEXT]…".into()),
    };
    let Err(error) = answered else { return ExitCode::SUCCESS };
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let text = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
    let _unheard = writeln!(io::stderr(), "{text}");
    ExitCode::FAILURE
}

async fn post(address: &str, endpoint: &str, texts: &[String]) -> Result<(), Box<dyn Error>> {
    let docs: Vec<_> =
        texts.iter().map(|text| TextDoc { text: Some(text.clone()), ..TextDoc::default() }).collect();
    let client = Client::connect(address).await?;
    let mut responses = client.post(endpoint).inputs(docs).in_order(true).send::<TextDoc>();
    let mut out = io::stdout().lock();
    while let Some(response) = responses.try_next().await? {
        for doc in &response.documents {
            writeln!(out, "{}\t{}", doc.id, doc.text.as_deref().unwrap_or_default())?;
        }
        for (name, result) in response.results()? {
            writeln!(out, "{name} returned {result}")?;
        }
        for route in response.routes()? {
            writeln!(out, "via {}", route.executor)?;
        }
    }
    Ok(())
}
