//! The schema of a Flow: a field for each endpoint.

use std::sync::Arc;

use async_graphql::Value;
use async_graphql::dynamic::{
    Enum, Field, FieldFuture, FieldValue, InputObject, InputValue, Object, ResolverContext, Scalar, Schema,
    SchemaBuilder, SchemaError, Subscription, SubscriptionField, SubscriptionFieldFuture, TypeRef,
};
use bytestring::ByteString;
use call::DRY_RUN_ENDPOINT;
use docarray::discovery::{Discovery, EndpointSchema};
use docarray::envelope::Endpoint;
use futures_util::StreamExt as _;
use indexmap::IndexMap;

use crate::ask::{Asker, Question};
use crate::convert::{from_text, property, to_field, to_json, type_of};
use crate::error::Failure;
use crate::legacy;
use crate::names::{self, Names};
use crate::shape::{Class, JSON, Kind, Shapes, Slot, TENSOR};

const QUERY: &str = "Query";
const MUTATION: &str = "Mutation";
const SUBSCRIPTION: &str = "Subscription";

/// Type names that are taken from the beginning.
const RESERVED: [&str; 12] = [
    QUERY,
    MUTATION,
    SUBSCRIPTION,
    "Int",
    "Float",
    "String",
    "Boolean",
    "ID",
    JSON,
    TENSOR,
    legacy::DOCUMENT,
    legacy::INPUT,
];

/// Scalars beside those that GraphQL has, and what they are.
const SCALARS: [(&str, &str); 4] = [
    (JSON, "Any JSON."),
    (TENSOR, "Numbers in arrays inside arrays, or text that holds them."),
    (legacy::LEGACY_JSON, "Any JSON. Objects and lists may be text that holds them."),
    (legacy::BASE64, "Bytes as text."),
];

/// An endpoint as a field.
#[derive(Debug)]
struct Bound {
    endpoint: ByteString,
    model: Arc<Endpoint>,
    input: Slot,
    output: Slot,
    parameters: Slot,
    needs_parameters: bool,
    classes: Arc<Vec<Class>>,
}

/// Makes the schema of a Flow.
///
/// # Errors
///
/// If what executors say of their documents is nothing that GraphQL has.
pub(crate) fn schema(flow: &Arc<Discovery>) -> Result<Schema, SchemaError> {
    let built = build(flow);
    if let Err(error) = &built {
        tracing::warn!(%error, "schemas of executors have no types in GraphQL: their documents are plain JSON there");
        return build(&Arc::new(untyped(flow)));
    }
    built
}

/// The same endpoints without their schemas, but for whether they stream.
fn untyped(flow: &Discovery) -> Discovery {
    let mut flow = flow.clone();
    for schema in flow.endpoints.values_mut().flatten() {
        for model in [&mut schema.input, &mut schema.output] {
            model.schema = serde_json::json!({});
        }
        schema.parameters = None;
    }
    flow
}

fn build(flow: &Arc<Discovery>) -> Result<Schema, SchemaError> {
    let mut shapes =
        Shapes::new(Names::with(RESERVED.into_iter().chain([legacy::LEGACY_JSON, legacy::BASE64])));
    let (legacy_input, legacy_output) = legacy::documents(&mut shapes, flow);
    let endpoints = flow.endpoints.iter().filter(|(name, _)| **name != DRY_RUN_ENDPOINT);
    let slots: Vec<_> = endpoints
        .map(|(name, schema)| {
            let schema = schema.as_ref();
            let input = schema.map_or_else(Slot::any, |schema| shapes.model(&schema.input, true));
            let output = schema.map_or_else(Slot::any, |schema| shapes.model(&schema.output, false));
            let parameters = schema.and_then(|schema| schema.parameters.as_ref());
            let parameters = parameters.map_or_else(Slot::any, |model| shapes.model(model, true));
            (name, schema, input, output, parameters)
        })
        .collect();
    let Shapes { classes, enums, mut names, .. } = shapes;
    let classes = Arc::new(classes);

    let mut fields = Names::with(["docs"]);
    let mut query = Object::new(QUERY);
    let mut mutation = Object::new(MUTATION);
    let mut subscription = None;
    let mut results = Vec::new();
    for (name, schema, input, output, parameters) in slots {
        let bound = Bound {
            endpoint: name.clone(),
            model: Arc::new(Endpoint::new(schema)),
            input,
            output,
            needs_parameters: schema.is_some_and(needs_parameters),
            parameters,
            classes: classes.clone(),
        };
        let field = fields.give(&names::of_endpoint(name));
        if schema.is_some_and(|schema| schema.is_generator) {
            let root = subscription.take().unwrap_or_else(|| Subscription::new(SUBSCRIPTION));
            subscription = Some(root.field(streaming(&field, Arc::new(bound))));
            continue;
        }
        let result = names.give(&format!("{}Result", names::pascal(&field)));
        results.push(result_type(&result, &bound));
        let bound = Arc::new(bound);
        mutation = mutation.field(asking(&field, &result, bound.clone()));
        if !flow.write_endpoints.contains(name) {
            query = query.field(asking(&field, &result, bound));
        }
    }
    let docs = Arc::new(Docs {
        flow: flow.clone(),
        input: legacy_input,
        output: legacy_output,
        classes: classes.clone(),
    });
    query = query.field(docs.clone().field());
    mutation = mutation.field(docs.field());

    let subscription_name = subscription.as_ref().map(|_| SUBSCRIPTION);
    let mut builder = Schema::build(QUERY, Some(MUTATION), subscription_name)
        // Whatever else is limited was counted before, see `limits`.
        .limit_recursive_depth(usize::MAX)
        .limit_directives(MAX_DIRECTIVES)
        .register(query)
        .register(mutation);
    for (name, description) in SCALARS {
        builder = builder.register(Scalar::new(name).description(description));
    }
    for (name, words) in enums {
        builder = builder.register(Enum::new(name).items(words));
    }
    for result in results {
        builder = builder.register(result);
    }
    builder = classes.iter().fold(builder, |builder, class| register(builder, class, &classes));
    match subscription {
        Some(subscription) => builder.register(subscription).finish(),
        None => builder.finish(),
    }
}

/// Directives on one field.
const MAX_DIRECTIVES: usize = 16;

fn needs_parameters(schema: &EndpointSchema) -> bool {
    let required = schema.parameters.as_ref().and_then(|model| model.schema["required"].as_array());
    required.is_some_and(|required| !required.is_empty())
}

fn register(builder: SchemaBuilder, class: &Class, classes: &[Class]) -> SchemaBuilder {
    if class.is_input {
        let fields = class.fields.iter().map(|field| {
            let is_required = field.required && !field.slot.nullable;
            InputValue::new(&field.name, type_of(&field.slot, is_required, classes))
        });
        builder.register(fields.fold(InputObject::new(&class.name), InputObject::field))
    } else {
        let fields = class.fields.iter().map(|field| {
            let (key, slot) = (field.key.clone(), field.slot.clone());
            part(&field.name, type_of(&field.slot, false, classes), key, slot)
        });
        builder.register(fields.fold(Object::new(&class.name), Object::field))
    }
}

/// A field that is a part of what its parent is.
fn part(name: &str, of: TypeRef, key: String, slot: Slot) -> Field {
    Field::new(name, of, move |context| {
        FieldFuture::Value(property(context.parent_value, &key).and_then(|value| to_field(value, &slot)))
    })
}

/// What a field of an endpoint returns.
fn result_type(name: &str, bound: &Bound) -> Object {
    let documents = Slot {
        kind: Kind::List(Box::new(Slot { nullable: false, ..bound.output.clone() })),
        nullable: false,
    };
    let data = type_of(&documents, true, &bound.classes);
    Object::new(name)
        .field(part("data", data, "data".to_owned(), documents).description("The documents."))
        .field(
            part("parameters", TypeRef::named(JSON), "parameters".to_owned(), Slot::any())
                .description("Results of executors, under `__results__`, and the parameters that were sent."),
        )
        .field(part(
            "requestId",
            TypeRef::named(TypeRef::STRING),
            "requestId".to_owned(),
            Slot::scalar("String"),
        ))
}

fn asking(name: &str, result: &str, bound: Arc<Bound>) -> Field {
    let arguments = bound.arguments();
    let description = format!("Endpoint {}", bound.endpoint);
    let field = Field::new(name, TypeRef::named(result), move |context| {
        let bound = bound.clone();
        FieldFuture::new(async move {
            let question = bound.question(&context, "data");
            let answer = ask(&context, question).await.map(with_request_id);
            Ok(told(&context, answer).map(FieldValue::value))
        })
    });
    arguments.into_iter().fold(field, Field::argument).description(description)
}

fn streaming(name: &str, bound: Arc<Bound>) -> SubscriptionField {
    let mut arguments = bound.arguments();
    let document = type_of(&bound.input, true, &bound.classes);
    arguments[0] = InputValue::new("document", document).description("What the stream is made of.");
    let description = format!("Streaming endpoint {}", bound.endpoint);
    let of = type_of(&bound.output, false, &bound.classes);
    let field = SubscriptionField::new(name, of, move |context| {
        let bound = bound.clone();
        SubscriptionFieldFuture::new(async move {
            let question = bound.question(&context, "document");
            let asker = context.data::<Asker>()?;
            let documents = asker.stream(question).await.map_err(Failure::into_error)?;
            Ok(documents.map(|document| document.map(FieldValue::value).map_err(Failure::into_error)))
        })
    });
    arguments.into_iter().fold(field, SubscriptionField::argument).description(description)
}

impl Bound {
    fn arguments(&self) -> Vec<InputValue> {
        let documents = Slot {
            kind: Kind::List(Box::new(Slot { nullable: false, ..self.input.clone() })),
            nullable: false,
        };
        let text = || TypeRef::named(TypeRef::STRING);
        vec![
            InputValue::new("data", type_of(&documents, true, &self.classes)).description("The documents."),
            InputValue::new("parameters", type_of(&self.parameters, self.needs_parameters, &self.classes)),
            InputValue::new("targetExecutor", text())
                .description("A regular expression: only executors whose names it matches are called."),
            InputValue::new("requestId", text()),
        ]
    }

    fn question(&self, context: &ResolverContext<'_>, data: &str) -> Question {
        let data_slot = match data {
            "data" => Slot { kind: Kind::List(Box::new(self.input.clone())), nullable: false },
            _ => self.input.clone(),
        };
        let json =
            |name, slot: &Slot| argument(context, name).map(|value| to_json(value, slot, &self.classes));
        Question {
            endpoint: self.endpoint.clone(),
            model: self.model.clone(),
            data: json(data, &data_slot),
            parameters: json("parameters", &self.parameters),
            target_executor: text(context, "targetExecutor"),
            request_id: text(context, "requestId"),
        }
    }
}

/// The field `docs`.
struct Docs {
    flow: Arc<Discovery>,
    input: Slot,
    output: Slot,
    classes: Arc<Vec<Class>>,
}

impl Docs {
    fn field(self: Arc<Self>) -> Field {
        let list = |slot: &Slot| Slot { kind: Kind::List(Box::new(slot.clone())), nullable: false };
        let (input, output) = (list(&self.input), list(&self.output));
        let of = type_of(&output, false, &self.classes);
        let data = InputValue::new("data", type_of(&input, false, &self.classes)).default_value(Value::Null);
        let field = Field::new("docs", of, move |context| {
            let docs = self.clone();
            FieldFuture::new(async move {
                let answer = ask(&context, docs.question(&context)).await;
                let Some(Value::Object(mut answer)) = told(&context, answer) else { return Ok(None) };
                let documents = match answer.swap_remove("data") {
                    Some(Value::List(documents)) => documents,
                    _ => Vec::new(),
                };
                Ok(Some(FieldValue::list(documents.into_iter().map(FieldValue::value))))
            })
        });
        field
            .description("Any documents to any endpoint, as old Jina had it.")
            .argument(data)
            .argument(
                InputValue::new("targetExecutor", TypeRef::named(TypeRef::STRING)).default_value(Value::Null),
            )
            .argument(
                InputValue::new("parameters", TypeRef::named(legacy::LEGACY_JSON)).default_value(Value::Null),
            )
            .argument(
                InputValue::new("execEndpoint", TypeRef::named_nn(TypeRef::STRING))
                    .default_value(legacy::DEFAULT_ENDPOINT),
            )
    }

    /// Executors that bind no such endpoint pass the documents on, whatever they are.
    fn question(&self, context: &ResolverContext<'_>) -> Question {
        let endpoint = text(context, "execEndpoint")
            .unwrap_or_else(|| ByteString::from_static(legacy::DEFAULT_ENDPOINT));
        let input = Slot { kind: Kind::List(Box::new(self.input.clone())), nullable: false };
        let parameters = argument(context, "parameters").map(|value| match value {
            Value::String(text) => from_text(text),
            value => to_json(value, &Slot::any(), &self.classes),
        });
        Question {
            model: Arc::new(Endpoint::new(self.flow.schema(&endpoint))),
            endpoint,
            data: argument(context, "data").map(|data| to_json(data, &input, &self.classes)),
            parameters,
            target_executor: text(context, "targetExecutor"),
            request_id: None,
        }
    }
}

async fn ask(context: &ResolverContext<'_>, question: Question) -> Result<Value, Failure> {
    match context.data_opt::<Asker>() {
        Some(asker) => asker.ask(question).await,
        None => Err(Failure::Panic),
    }
}

/// A failure is told beside the answer, and its field is null.
fn told<T>(context: &ResolverContext<'_>, answer: Result<T, Failure>) -> Option<T> {
    answer
        .map_err(|failure| {
            let error = failure.into_error().into_server_error(context.item.pos);
            context.add_error(context.set_error_path(error));
        })
        .ok()
}

fn with_request_id(answer: Value) -> Value {
    let Value::Object(mut answer) = answer else { return answer };
    let header: Option<IndexMap<_, _>> = match answer.swap_remove("header") {
        Some(Value::Object(header)) => Some(header),
        _ => None,
    };
    if let Some(id) = header.and_then(|mut header| header.swap_remove("request_id")) {
        answer.insert(async_graphql::Name::new("requestId"), id);
    }
    Value::Object(answer)
}

/// Null is the same as nothing.
fn argument(context: &ResolverContext<'_>, name: &str) -> Option<Value> {
    context.args.get(name).map(|value| value.as_value().clone()).filter(|value| *value != Value::Null)
}

fn text(context: &ResolverContext<'_>, name: &str) -> Option<ByteString> {
    let value = context.args.get(name)?;
    value.string().ok().map(ByteString::from)
}
