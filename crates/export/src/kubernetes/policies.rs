//! What is written on request: disruption budgets and autoscalers.

use config::Replicas;
use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, MetricSpec,
    MetricTarget, ResourceMetricSource,
};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::Target;
use super::service::{app, metadata};
use super::workload::Workload;

/// Percent of the processor time that pods ask for, above which there are more of them.
const BUSY: i32 = 70;

/// Lets a node be drained of one pod at a time only.
pub(super) fn disruption_budget(workload: &Workload<'_>, target: Target<'_>) -> PodDisruptionBudget {
    PodDisruptionBudget {
        metadata: metadata(&workload.name, target),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(1)),
            selector: Some(LabelSelector {
                match_labels: Some(app(&workload.name)),
                ..LabelSelector::default()
            }),
            ..PodDisruptionBudgetSpec::default()
        }),
        ..PodDisruptionBudget::default()
    }
}

pub(super) fn autoscaler(
    workload: &Workload<'_>,
    replicas: Replicas,
    target: Target<'_>,
) -> HorizontalPodAutoscaler {
    HorizontalPodAutoscaler {
        metadata: metadata(&workload.name, target),
        spec: Some(HorizontalPodAutoscalerSpec {
            scale_target_ref: CrossVersionObjectReference {
                api_version: Some("apps/v1".to_owned()),
                kind: workload.kind().to_owned(),
                name: workload.name.clone(),
            },
            min_replicas: Some(replicas.least.into()),
            max_replicas: replicas.most.into(),
            metrics: Some(vec![MetricSpec {
                type_: "Resource".to_owned(),
                resource: Some(ResourceMetricSource {
                    name: "cpu".to_owned(),
                    target: MetricTarget {
                        type_: "Utilization".to_owned(),
                        average_utilization: Some(BUSY),
                        ..MetricTarget::default()
                    },
                }),
                ..MetricSpec::default()
            }]),
            ..HorizontalPodAutoscalerSpec::default()
        }),
        ..HorizontalPodAutoscaler::default()
    }
}
