"""Math instructions: seeds, augmentation, verification, decontamination."""
