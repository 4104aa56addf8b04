//! A word to the system's memory allocator.

/// In bytes; just below 32 MiB, from where on glibc learns nothing (its `DEFAULT_MMAP_THRESHOLD_MAX`).
const LESSON: usize = 31 << 20;

/// Makes glibc keep the memory that a training step frees for the next step, instead of returning it to the system each time.
///
/// glibc takes the size of a large block that is freed as the measure of what a program needs for a short time, and from then
/// on returns memory only when twice as much lies idle (`mallopt(3)`, `M_MMAP_THRESHOLD`). Measured on two cores with 16 lanes of
/// a 64-64-64-10 MLP: 47,000 steps a second without, for page faults, and 85,000 with. The block is never touched, so it costs no
/// memory; other allocators take no notice.
pub(crate) fn keep_freed_memory() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LESSON)));
}
