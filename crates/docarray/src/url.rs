//! Links, each kind with the `type` that Python receivers know it by.

use std::fmt;
use std::ops::Deref;

use bytestring::ByteString;
use call::wire;
use serde_json::{Value, json};

use crate::doc::{Definitions, Depth, DocError, Field, Form};
use crate::node::{Node, field};

macro_rules! urls {
    ($($(#[$doc:meta])* $name:ident $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(ByteString);

        impl Field for $name {
            fn read_node(node: Node, depth: Depth) -> Result<Self, DocError> {
                ByteString::read_node(node, depth).map(Self)
            }

            fn write_node(&self, to: &mut Vec<u8>, _: Form) {
                wire::put_bytes(to, field::TEXT, self.0.as_bytes());
                wire::put_bytes(to, field::TYPE, $kind.as_bytes());
            }

            fn schema_in(_: &mut Definitions) -> Value {
                json!({"type": "string"})
            }

            fn as_default(&self) -> Option<Value> {
                Some((*self.0).into())
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    )*};
}

urls! {
    /// A link to anything: a URL or a path.
    AnyUrl "any_url";
    /// A link to a text.
    TextUrl "text_url";
    /// A link to an image.
    ImageUrl "image_url";
    /// A link to a recording.
    AudioUrl "audio_url";
    /// A link to a film.
    VideoUrl "video_url";
    /// A link to a mesh.
    Mesh3DUrl "mesh_url";
    /// A link to a cloud of points.
    PointCloud3DUrl "point_cloud_url";
}
