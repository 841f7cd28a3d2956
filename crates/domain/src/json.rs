//! JSON in which an object is an object. A derived reader takes a list as well, as the fields in
//! their order: a caller who sends `["+12125550123", "transactional", "Hi"]` has made a mistake,
//! and must not find out by the text that went out.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor},
};

/// Reads JSON; fields are named, in objects, at every depth.
///
/// # Errors
/// It is no JSON, or says something else than `T`.
pub fn from_slice<'de, T: Deserialize<'de>>(json: &'de [u8]) -> serde_json::Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let value = T::deserialize(NamedFields(&mut reader))?;
    reader.end().map(|()| value)
}

/// A deserializer whose structs are read from maps alone, with everything that is inside. What
/// serde buffers before it reads it (`flatten`, `untagged`, `tag`) is out of its sight.
#[derive(Debug)]
pub struct NamedFields<T>(pub T);

/// Passes calls on as they are, with what is called back wrapped in turn.
macro_rules! pass_on {
    ($($name:ident)*) => {
        $(fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.$name(NamedFields(visitor))
        })*
    };
}

/// Passes values without an inside on as they are.
macro_rules! plain {
    ($($name:ident($type:ty))*) => {
        $(fn $name<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.0.$name(value)
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for NamedFields<D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(NamedFields(visitor))
    }

    pass_on! {
        deserialize_any deserialize_bool
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string
        deserialize_bytes deserialize_byte_buf deserialize_option deserialize_unit
        deserialize_seq deserialize_map deserialize_identifier deserialize_ignored_any
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_unit_struct(name, NamedFields(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, NamedFields(visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(len, NamedFields(visitor))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple_struct(name, len, NamedFields(visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, NamedFields(visitor))
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for NamedFields<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    plain! {
        visit_bool(bool) visit_i8(i8) visit_i16(i16) visit_i32(i32) visit_i64(i64)
        visit_i128(i128) visit_u8(u8) visit_u16(u16) visit_u32(u32) visit_u64(u64)
        visit_u128(u128) visit_f32(f32) visit_f64(f64) visit_char(char) visit_str(&str)
        visit_borrowed_str(&'de str) visit_string(String) visit_bytes(&[u8])
        visit_borrowed_bytes(&'de [u8]) visit_byte_buf(Vec<u8>)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(NamedFields(inner))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(NamedFields(inner))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(NamedFields(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(NamedFields(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(NamedFields(variant))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for NamedFields<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(NamedFields(inner))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for NamedFields<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(NamedFields(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for NamedFields<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(NamedFields(seed))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(NamedFields(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for NamedFields<A> {
    type Error = A::Error;
    type Variant = NamedFields<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let (name, content) = self.0.variant_seed(NamedFields(seed))?;
        Ok((name, NamedFields(content)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for NamedFields<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(NamedFields(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(len, NamedFields(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.newtype_variant_seed(FieldsOf(visitor))
    }
}

/// The fields of an enum's variant, which come as a map.
struct FieldsOf<V>(V);

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for FieldsOf<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        inner.deserialize_map(NamedFields(self.0))
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Order<'a> {
        #[serde(borrow)]
        name: Cow<'a, str>,
        #[serde(default)]
        inner: Option<Inner>,
        #[serde(default)]
        list: Vec<Inner>,
        #[serde(default)]
        shape: Option<Shape>,
        #[serde(default)]
        pair: Option<(u8, u8)>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Inner {
        size: u8,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Shape {
        Box { side: u8 },
        Point,
        Line(Inner),
    }

    fn read(json: &str) -> serde_json::Result<Order<'_>> {
        from_slice(json.as_bytes())
    }

    #[test]
    fn a_list_is_no_object_at_any_depth() {
        for json in [
            r#"["Ann"]"#,
            r#"["Ann", {"size": 1}]"#,
            r#"{"name": "Ann", "inner": [1]}"#,
            r#"{"name": "Ann", "inner": []}"#,
            r#"{"name": "Ann", "list": [{"size": 1}, [2]]}"#,
            r#"{"name": "Ann", "shape": {"box": [1]}}"#,
            r#"{"name": "Ann", "shape": {"line": [1]}}"#,
        ] {
            let error = read(json).expect_err(json);
            assert!(error.is_data(), "{error}");
        }
    }

    #[test]
    fn everything_else_is_read_as_ever() {
        let json = r#"{"name": "Ann", "inner": {"size": 1}, "list": [{"size": 2}, {}],
                       "shape": {"box": {"side": 3}}, "pair": [4, 5]}"#;
        let order = read(json).expect("an order");
        assert!(matches!(order.name, Cow::Borrowed("Ann")), "borrowed from the text");
        assert_eq!(order.inner, Some(Inner { size: 1 }));
        assert_eq!(order.list, [Inner { size: 2 }, Inner { size: 0 }]);
        assert_eq!((order.shape, order.pair), (Some(Shape::Box { side: 3 }), Some((4, 5))));

        let null = read(r#"{"name": "A\n", "inner": null, "shape": "point"}"#).expect("an order");
        assert_eq!((null.inner, null.shape), (None, Some(Shape::Point)));
        let line = read(r#"{"name": "", "shape": {"line": {"size": 7}}}"#).expect("an order");
        assert_eq!(line.shape, Some(Shape::Line(Inner { size: 7 })));
        assert!(read(r#"{"name": "Ann"} x"#).expect_err("more").is_syntax());

        let raw: Vec<&serde_json::value::RawValue> =
            from_slice(b"[ [1], {\"a\": 2}]").expect("raw");
        assert_eq!(raw.iter().map(|raw| raw.get()).collect::<Vec<_>>(), ["[1]", "{\"a\": 2}"]);
    }
}
