//! The one place that names burn's backends.

use burn::tensor::Device;

use crate::config::DeviceKind;

/// The burn device of a plan, without automatic differentiation.
///
/// Never `Device::default()`, which reads an environment variable: a report must say where its numbers come from.
pub(crate) fn device(kind: DeviceKind) -> Device {
    match kind {
        DeviceKind::Flex => Device::flex(),
        DeviceKind::Ndarray => ndarray(),
    }
}

/// Whether a device is that of burn-flex.
pub(crate) fn is_flex(device: &Device) -> bool {
    *device == Device::flex()
}

#[expect(deprecated, reason = "burn-ndarray is deprecated in favour of burn-flex, but stays a choice as long as burn has it")]
fn ndarray() -> Device {
    Device::ndarray()
}
