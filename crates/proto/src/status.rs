//! Error codes between [`call::ErrorCode`] and gRPC.

use call::ErrorCode;
use tonic::Code;

/// The gRPC status code for a failure of ours.
#[must_use]
pub const fn code_to_grpc(code: ErrorCode) -> Code {
    match code {
        ErrorCode::InvalidRequest => Code::InvalidArgument,
        ErrorCode::NotFound => Code::NotFound,
        ErrorCode::Overloaded => Code::ResourceExhausted,
        ErrorCode::DeadlineExceeded => Code::DeadlineExceeded,
        ErrorCode::Unavailable => Code::Unavailable,
        ErrorCode::Unimplemented => Code::Unimplemented,
        ErrorCode::Cancelled => Code::Cancelled,
        ErrorCode::Internal => Code::Internal,
    }
}

/// What the caller can do about a gRPC status; `Ok` in the place of an answer is a fault of the peer.
#[must_use]
pub const fn code_from_grpc(code: Code) -> ErrorCode {
    match code {
        Code::InvalidArgument | Code::OutOfRange | Code::FailedPrecondition | Code::AlreadyExists => {
            ErrorCode::InvalidRequest
        }
        Code::PermissionDenied | Code::Unauthenticated => ErrorCode::InvalidRequest,
        Code::NotFound => ErrorCode::NotFound,
        Code::ResourceExhausted => ErrorCode::Overloaded,
        Code::DeadlineExceeded => ErrorCode::DeadlineExceeded,
        Code::Unavailable | Code::Aborted => ErrorCode::Unavailable,
        Code::Unimplemented => ErrorCode::Unimplemented,
        Code::Cancelled => ErrorCode::Cancelled,
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => ErrorCode::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_the_round_trip() {
        for code in [
            ErrorCode::InvalidRequest,
            ErrorCode::NotFound,
            ErrorCode::Overloaded,
            ErrorCode::DeadlineExceeded,
            ErrorCode::Unavailable,
            ErrorCode::Unimplemented,
            ErrorCode::Cancelled,
            ErrorCode::Internal,
        ] {
            assert_eq!(code_from_grpc(code_to_grpc(code)), code);
        }
    }
}
