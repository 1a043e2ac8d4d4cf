//! The predefined documents of DocArray, with the names and the fields that peers in Python know.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::{
    AnyUrl, AudioUrl, Doc, DocList, Id, ImageUrl, Mesh3DUrl, NdArray, PointCloud3DUrl, TextUrl, VideoUrl,
};

/// Document for handling text.
#[derive(Debug, Clone, Default, PartialEq, Doc)]
pub struct TextDoc {
    /// The name of the document.
    pub id: Id,
    /// The text content stored in the document
    pub text: Option<String>,
    /// URL to a (potentially remote) text file that can be loaded
    pub url: Option<TextUrl>,
    /// Store an embedding: a vector representation of the text
    pub embedding: Option<NdArray>,
    /// Bytes representation of the text
    pub bytes_: Option<Bytes>,
}

/// Document for handling images.
#[derive(Debug, Clone, Default, PartialEq, Doc)]
pub struct ImageDoc {
    /// The name of the document.
    pub id: Id,
    /// URL to a (potentially remote) image file that needs to be loaded
    pub url: Option<ImageUrl>,
    /// Tensor object of the image
    pub tensor: Option<NdArray>,
    /// Store an embedding: a vector representation of the image.
    pub embedding: Option<NdArray>,
    /// Bytes object of the image
    pub bytes_: Option<Bytes>,
}

/// Document for handling audios.
#[derive(Debug, Clone, Default, PartialEq, Doc)]
pub struct AudioDoc {
    /// The name of the document.
    pub id: Id,
    /// The url to a (potentially remote) audio file that can be loaded
    pub url: Option<AudioUrl>,
    /// Tensor object of the audio
    pub tensor: Option<NdArray>,
    /// Store an embedding: a vector representation of the audio.
    pub embedding: Option<NdArray>,
    /// Bytes representation of the audio
    pub bytes_: Option<Bytes>,
    /// An integer representing the frame rate of the audio.
    pub frame_rate: Option<i64>,
}

/// Document for handling video.
#[derive(Debug, Clone, Default, PartialEq, Doc)]
pub struct VideoDoc {
    /// The name of the document.
    pub id: Id,
    /// URL to a (potentially remote) video file that needs to be loaded
    pub url: Option<VideoUrl>,
    /// Audio document associated with the video
    pub audio: Option<AudioDoc>,
    /// Tensor object representing the video
    pub tensor: Option<NdArray>,
    /// List of all the key frames in the video
    pub key_frame_indices: Option<NdArray>,
    /// Store an embedding: a vector representation of the video
    pub embedding: Option<NdArray>,
    /// Bytes representation of the video
    pub bytes_: Option<Bytes>,
}

/// Document for handling the tensor data of a [`Mesh3D`].
#[derive(Debug, Clone, PartialEq, Doc)]
pub struct VerticesAndFaces {
    /// The name of the document.
    pub id: Id,
    /// Corners, three coordinates each.
    pub vertices: NdArray,
    /// Faces, each the indices of its corners.
    pub faces: NdArray,
}

/// Document for handling meshes for 3D data representation.
#[derive(Debug, Clone, Default, PartialEq, Doc)]
pub struct Mesh3D {
    /// The name of the document.
    pub id: Id,
    /// URL to a file containing 3D mesh information. Can be remote (web) URL, or a local file path.
    pub url: Option<Mesh3DUrl>,
    /// A tensor object of 3D mesh of type `VerticesAndFaces`.
    pub tensors: Option<VerticesAndFaces>,
    /// Store an embedding: a vector representation of the 3D mesh.
    pub embedding: Option<NdArray>,
    /// Bytes representation of 3D mesh.
    pub bytes_: Option<Bytes>,
}

/// Document for handling the tensor data of a [`PointCloud3D`].
#[derive(Debug, Clone, PartialEq, Doc)]
pub struct PointsAndColors {
    /// The name of the document.
    pub id: Id,
    /// Points, three coordinates each.
    pub points: NdArray,
    /// The color of each point.
    pub colors: Option<NdArray>,
}

/// Document for handling point clouds for 3D data representation.
#[derive(Debug, Clone, Default, PartialEq, Doc)]
pub struct PointCloud3D {
    /// The name of the document.
    pub id: Id,
    /// URL to a file containing point cloud information. Can be remote (web) URL, or a local file path.
    pub url: Option<PointCloud3DUrl>,
    /// A tensor object of 3D point cloud of type `PointsAndColors`.
    pub tensors: Option<PointsAndColors>,
    /// Store an embedding: a vector representation of 3D point cloud.
    pub embedding: Option<NdArray>,
    /// Bytes representation of 3D point cloud.
    pub bytes_: Option<Bytes>,
}

/// The document of DocArray up to 0.21, which executors take that say nothing of their documents.
#[derive(Debug, Clone, Default, PartialEq, Doc)]
#[document(name = "LegacyDocumentJina")]
pub struct LegacyDocument {
    /// The name of the document.
    pub id: Id,
    /// A tensor.
    pub tensor: Option<NdArray>,
    /// Its parts.
    pub chunks: Option<DocList<LegacyDocument>>,
    /// What was found for it.
    pub matches: Option<DocList<LegacyDocument>>,
    /// Raw content.
    pub blob: Option<Bytes>,
    /// Text.
    pub text: Option<String>,
    /// Where the content is.
    pub url: Option<AnyUrl>,
    /// A vector that stands for the content.
    pub embedding: Option<NdArray>,
    /// Anything else.
    pub tags: Map<String, Value>,
    /// What matches were ranked by.
    pub scores: Option<Map<String, Value>>,
}

impl TextDoc {
    /// A document that holds `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }
}

#[cfg(test)]
mod tests;
