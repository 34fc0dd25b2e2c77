//! The files of this folder as bytes, so that a program has its library of datasets wherever it is copied to.

/// The files beside this crate, each by its name.
macro_rules! files {
    ($($name:literal,)*) => {
        &[$(($name, include_bytes!(concat!("../", $name)).as_slice())),*]
    };
}

/// Every file of the library, the index first: its name and its bytes.
pub static FILES: &[(&str, &[u8])] = files![
    "index.json",
    "abalone.parquet",
    "adult.parquet",
    "anneal.parquet",
    "audiology.parquet",
    "balance_scale.parquet",
    "bioassay_weka.parquet",
    "car.parquet",
    "census_income_kdd.parquet",
    "cleveland.parquet",
    "cmc.parquet",
    "coil2000.parquet",
    "credit_data.parquet",
    "credit_default_taiwan.parquet",
    "dermatology.parquet",
    "ecoli.parquet",
    "fars.parquet",
    "german_credit.parquet",
    "glass.parquet",
    "haberman.parquet",
    "hpc_jobs.parquet",
    "hypothyroid.parquet",
    "kc1.parquet",
    "kddcup_rootkit.parquet",
    "kr_vs_k.parquet",
    "labsup.parquet",
    "letter.parquet",
    "lymphography.parquet",
    "magic.parquet",
    "marketing_income.parquet",
    "military.parquet",
    "movement_libras.parquet",
    "nafld.parquet",
    "nass_cds.parquet",
    "new_thyroid.parquet",
    "nursery.parquet",
    "optdigits.parquet",
    "page_blocks.parquet",
    "pc1.parquet",
    "penbased.parquet",
    "phoneme.parquet",
    "pima_missing.parquet",
    "poker_89_vs_5.parquet",
    "portal_rodents.parquet",
    "primary_tumor.parquet",
    "satimage.parquet",
    "segment.parquet",
    "shuttle.parquet",
    "solar_flare.parquet",
    "soybean.parquet",
    "spambase.parquet",
    "splice.parquet",
    "sylva.parquet",
    "texture.parquet",
    "vehicle.parquet",
    "vowel.parquet",
    "wine_red.parquet",
    "wine_white.parquet",
    "yeast.parquet",
    "zoo.parquet",
];

#[cfg(test)]
mod tests {
    use super::FILES;

    #[test]
    fn every_file_is_carried_and_all_of_them_are_small() {
        let folder = std::fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
        let mut names: Vec<String> = folder
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".parquet"))
            .collect();
        names.sort();
        names.insert(0, "index.json".to_owned());
        let carried: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        assert_eq!(carried, names);
        let bytes: usize = FILES.iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(bytes < 15_000_000, "{bytes} bytes");
    }
}
