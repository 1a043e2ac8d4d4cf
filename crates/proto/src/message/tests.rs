//! The hand-written conversion agrees with the generated code, and leaves documents alone.

use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::jina;

fn any_text() -> impl Strategy<Value = String> {
    ".{0,12}"
}

fn any_status() -> impl Strategy<Value = jina::StatusProto> {
    let exception =
        (any_text(), prop::collection::vec(any_text(), 0..3), prop::collection::vec(any_text(), 0..3))
            .prop_map(|(name, args, stacks)| jina::status_proto::ExceptionProto {
                executor: name.clone(),
                name,
                args,
                stacks,
            });
    (0..2, any_text(), prop::option::of(exception))
        .prop_map(|(code, description, exception)| jina::StatusProto { code, description, exception })
}

fn any_time() -> impl Strategy<Value = prost_types::Timestamp> {
    (any::<i64>(), any::<i32>()).prop_map(|(seconds, nanos)| prost_types::Timestamp { seconds, nanos })
}

fn any_route() -> impl Strategy<Value = jina::RouteProto> {
    (any_text(), prop::option::of(any_time()), prop::option::of(any_time()), prop::option::of(any_status()))
        .prop_map(|(executor, start_time, end_time, status)| jina::RouteProto {
            executor,
            start_time,
            end_time,
            status,
        })
}

prop_compose! {
    fn any_request()(
        request_id in any_text(),
        status in prop::option::of(any_status()),
        exec_endpoint in prop::option::of(any_text()),
        target_executor in prop::option::of(any_text()),
        timeout in prop::option::of(any::<u32>()),
        routes in prop::collection::vec(any_route(), 0..4),
        docs in prop::option::of(prop::collection::vec(any::<u8>(), 0..64)),
    ) -> jina::DataRequestProto {
        use jina::data_request_proto::{DataContentProto, data_content_proto::Documents};
        jina::DataRequestProto {
            header: Some(jina::HeaderProto { request_id, status, exec_endpoint, target_executor, timeout }),
            parameters: Some(prost_types::Struct {
                fields: [("k".to_owned(), prost_types::Value { kind: None })].into(),
            }),
            routes,
            data: docs.map(|docs| DataContentProto { documents: Some(Documents::DocsBytes(docs.into())) }),
        }
    }
}

proptest! {
    #[test]
    fn it_agrees_with_the_generated_code(request in any_request(), cut in 0usize..200) {
        let mut wire = Payload::from(request.encode_to_vec());
        let mut cut = wire.split_to(cut.min(wire.len()));
        cut.append(wire);
        let message = read(cut).unwrap();
        prop_assert_eq!(jina::DataRequestProto::decode(write(&message)), Ok(request.clone()));
        let frame = write_frame(&message).into_bytes();
        prop_assert_eq!(&frame[5..], &write(&message).into_bytes()[..]);
        prop_assert_eq!(frame[..5].to_vec(), [&[0], &(frame.len() as u32 - 5).to_be_bytes()[..]].concat());

        // Routes decoded here and written again are the same, too.
        let mut decoded = message;
        decoded.routes = Routes { received: Bytes::new(), added: routes(&decoded.routes).unwrap() };
        prop_assert_eq!(jina::DataRequestProto::decode(write(&decoded)), Ok(request.clone()));

        let list = write_list(&[decoded.clone(), decoded]);
        let parts = read_list(list.clone()).unwrap();
        prop_assert_eq!(parts.len(), 2);
        let list = jina::DataRequestListProto::decode(list);
        prop_assert_eq!(list, Ok(jina::DataRequestListProto { requests: vec![request.clone(), request] }));
    }

    #[test]
    fn any_bytes_end_in_a_message_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        if let Ok(message) = read(bytes.into()) {
            let _maybe = routes(&message.routes);
            let _written = write(&message);
        }
    }
}

#[test]
fn documents_and_unknown_fields_are_not_looked_into() {
    let garbage = vec![0xff; 10_000];
    let mut wire = Vec::new();
    wire::put_bytes(&mut wire, 1, b"");
    wire::put_bytes(&mut wire, 2, b"");
    wire::put_bytes(&mut wire, 4, &garbage);
    wire::put_bytes(&mut wire, 99, &garbage);
    let wire = Bytes::from(wire);
    let message = read(wire.clone().into()).unwrap();
    let documents = message.documents.as_ref().unwrap();
    assert!(documents.pieces().all(|piece| wire.as_ptr_range().contains(&piece.as_ptr())), "copied");
    assert_eq!(write(&message), Payload::from(wire));
}
