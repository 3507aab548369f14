use digitalpaye_auth::whole::whole;

#[test]
fn whole_numbers_are_those_that_json_carries_without_loss() {
    for number in [0.0, -0.0, 1.0, -7.0, 1_728_634_803.0, 9_007_199_254_740_991.0] {
        assert_eq!(whole(number), Some(number), "{number}");
    }
    for number in [0.5, -1.25, 9_007_199_254_740_992.0, 1e300, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        assert_eq!(whole(number), None, "{number}");
    }
}
